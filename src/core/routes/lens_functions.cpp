// Decides which functions a version shows: those that a rule lists, and with "expose" every one that can be called.
#include "lens_functions.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "lens_relations.hpp"
#include "millrace/core/text.hpp"
#include "reader.hpp"

namespace millrace::routes {
namespace {

using catalog::Function;
using catalog::Parameter;

// Arguments go by name; a single parameter without one takes the body (PostgREST, "Functions with a single unnamed parameter").
bool callable(const Function& function) {
    constexpr std::array bodies{"json", "jsonb", "text", "xml", "bytea"};
    const bool named = std::ranges::none_of(function.parameters, [](const Parameter& p) { return p.name.empty(); });
    if (named) return true;
    return function.parameters.size() == 1 && std::ranges::find(bodies, function.parameters.front().type) != bodies.end();
}

// PostgREST's order, which is the order of the candidates in an error.
bool before(const Overload& a, const Overload& b) {
    const Function &f = *a.function, &g = *b.function;
    if (f.parameters.size() != g.parameters.size()) return f.parameters.size() < g.parameters.size();
    if (f.comment != g.comment) return f.comment < g.comment;
    return std::ranges::lexicographical_compare(f.parameters, g.parameters, [](const Parameter& p, const Parameter& q) {
        return std::tie(p.name, p.type) < std::tie(q.name, q.type);
    });
}

class Functions {
public:
    Functions(const RouteTable& table, const catalog::Catalog& catalog, const config::Settings& settings, Findings& findings)
        : table_(table), catalog_(catalog), settings_(settings), findings_(findings) {
        for (const Function& function : catalog.functions)
            if (callable(function)) by_name_[{function.schema, function.name}].push_back({&function, nullptr, nullptr});
        for (auto& [name, overloads] : by_name_) std::ranges::sort(overloads, before);
    }

    std::vector<std::unique_ptr<ApiFunction>> show() && {
        for (const auto& [name, rule] : table_.functions) add_listed(name, rule);
        if (table_.expose_schema) add_exposed();
        for (const std::string& hidden : table_.hide)
            if (names_function(hidden) && named(table_.schema, hidden.substr(function_prefix.size())).empty())
                unknown("/hide", hidden.substr(function_prefix.size()));
        std::ranges::sort(shown_, {}, [](const auto& function) -> const std::string& { return function->name; });
        return std::move(shown_);
    }

private:
    [[nodiscard]] std::vector<Overload> named(std::string_view schema, std::string_view name) const {
        const auto found = by_name_.find({schema, name});
        return found == by_name_.end() ? std::vector<Overload>{} : found->second;
    }

    // "name" in the version's schema, else "schema.name".
    [[nodiscard]] std::vector<Overload> find(const std::string& written) const {
        auto found = named(table_.schema, written);
        const auto dot = written.find('.');
        if (!found.empty() || dot == std::string::npos) return found;
        return named(std::string_view(written).substr(0, dot), std::string_view(written).substr(dot + 1));
    }

    void unknown(std::string path, const std::string& written) {
        std::vector<std::string> names;
        for (const Function& function : catalog_.functions)
            names.push_back(function.schema == table_.schema ? function.name : function.schema + "." + function.name);
        findings_.problems.push_back({table_.file, std::move(path),
                                      "there is no function \"" + written + "\" in schema \"" + table_.schema + "\"",
                                      text::closest(written, names).value_or("")});
    }

    void add_listed(const std::string& name, const FunctionRule& rule) {
        const std::string path = "/resources/" + pointer_token("rpc/" + name);
        auto overloads = find(rule.function);
        if (overloads.empty()) return unknown(path + "/function", rule.function);
        for (const Overload& overload : overloads) listed_.insert(overload.function);
        add(name, std::move(overloads), rule, path);
    }

    // Overloads of a name that a rule lists are shown under that rule's name only.
    void add_exposed() {
        std::set<std::string_view> names;
        for (const Function& function : catalog_.functions)
            if (function.schema == table_.schema && !listed_.contains(&function) &&
                !table_.hide.contains(std::string(function_prefix) + function.name))
                names.insert(function.name);
        for (const std::string_view name : names) {
            auto overloads = named(table_.schema, name);
            if (overloads.empty()) continue;
            if (table_.functions.contains(std::string(name))) {
                findings_.problems.push_back(
                    {table_.file, "/resources/" + pointer_token("rpc/" + std::string(name)),
                     "is also the name of a function that \"expose\" shows: list that one under another name, "
                     "or hide it",
                     ""});
                continue;
            }
            add(std::string(name), std::move(overloads), {}, "/defaults");
        }
    }

    void add(const std::string& name, std::vector<Overload> overloads, const FunctionRule& rule, const std::string& path) {
        auto function = std::make_unique<ApiFunction>();
        function->name = name;
        function->route = std::string(function_prefix) + name;
        function->overloads = std::move(overloads);
        const Complaints complaints{table_.file, path, findings_};
        function->policies = resolve_function_policies(rule, table_.defaults, settings_, complaints);
        resolve_dependencies(function->policies, catalog_, table_.schema, complaints);
        shown_.push_back(std::move(function));
    }

    const RouteTable& table_;
    const catalog::Catalog& catalog_;
    const config::Settings& settings_;
    Findings& findings_;
    std::map<std::pair<std::string_view, std::string_view>, std::vector<Overload>> by_name_;
    std::set<const Function*> listed_;
    std::vector<std::unique_ptr<ApiFunction>> shown_;
};

// Records and scalars are one value a row; what void gives is never shown.
catalog::Column value_column(const Function& function) {
    catalog::Column column;
    if (function.result == catalog::ResultKind::scalar && !function.result_columns.empty())
        column = function.result_columns.front();
    if (function.result == catalog::ResultKind::is_void) column.type_oid = 25;  // text: there is no to_json() of void
    column.name = scalar_column;
    return column;
}

}  // namespace

std::vector<std::unique_ptr<ApiFunction>> shown_functions(const RouteTable& table, const catalog::Catalog& catalog,
                                                          const config::Settings& settings, Findings& findings) {
    return Functions(table, catalog, settings, findings).show();
}

ResultRows result_rows(const Function& function, const ApiFunction& shown) {
    ResultRows made{std::make_unique<catalog::Relation>(), std::make_unique<Resource>()};
    made.relation->schema = function.schema;
    made.relation->name = function.name;
    made.relation->insertable = made.relation->updatable = made.relation->deletable = false;
    made.relation->is_volatile = true;
    if (returns_rows(function)) {
        made.relation->columns = function.result_columns;
    } else {
        made.relation->columns = {value_column(function)};
    }
    made.resource->name = shown.name;
    made.resource->relation = made.relation.get();
    made.resource->policies = shown.policies;
    for (const catalog::Column& column : made.relation->columns) made.resource->columns.push_back({column.name, &column});
    return made;
}

}  // namespace millrace::routes

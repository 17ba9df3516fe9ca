// Decides which columns of a relation a rule shows, and under which names.
#include <algorithm>

#include "lens_resource.hpp"
#include "millrace/core/text.hpp"
#include "reader.hpp"

namespace millrace::routes {
namespace {

using catalog::Column;
using catalog::Relation;

class Columns {
public:
    Columns(const Relation& relation, const ResourceRule& rule, const Complaints& complaints)
        : relation_(relation), rule_(rule), complaints_(complaints) {
        for (const Column& column : relation.columns) names_.push_back(column.name);
        for (const Column& column : relation.computed) names_.push_back(column.name);
    }

    void check(const std::vector<std::string>& ways) const {
        for (const std::string& hidden : rule_.hide)
            if (std::ranges::find(ways, hidden) == ways.end()) known("/hide", hidden);
        for (std::size_t i = 0; i < rule_.only.size(); ++i) known("/only/" + std::to_string(i), rule_.only[i]);
        check_renames();
    }

    [[nodiscard]] std::vector<ApiColumn> stored() const {
        std::vector<ApiColumn> shown;
        for (const Column& column : relation_.columns)
            if (shows(column.name)) shown.push_back({api_name(column.name), &column});
        check_clashes(shown);
        return shown;
    }

    // As in Postgres, a stored column goes before a computed one of the same name.
    [[nodiscard]] std::vector<ApiColumn> computed(const std::vector<ApiColumn>& stored) const {
        std::vector<ApiColumn> shown;
        for (const Column& column : relation_.computed) {
            const std::string name = api_name(column.name);
            if (shows(column.name) && std::ranges::find(stored, name, &ApiColumn::name) == stored.end())
                shown.push_back({name, &column});
        }
        return shown;
    }

private:
    bool known(const std::string& below, const std::string& column) const {
        if (std::ranges::find(names_, column) != names_.end()) return true;
        complaints_.add(below, "there is no column \"" + column + "\" in " + relation_.id(),
                        text::closest(column, names_).value_or(""));
        return false;
    }

    [[nodiscard]] bool shows(const std::string& column) const {
        return !rule_.hide.contains(column) &&
               (rule_.only.empty() || std::ranges::find(rule_.only, column) != rule_.only.end());
    }

    void check_renames() const {
        std::map<std::string, std::string> renamed;
        for (const auto& [name, column] : rule_.rename) {
            const std::string below = "/rename/" + pointer_token(name);
            if (!known(below, column)) continue;
            if (!shows(column)) complaints_.add(below, "the column \"" + column + "\" is not shown");
            const auto [first, fresh] = renamed.emplace(column, name);
            if (!fresh) complaints_.add(below, "the column \"" + column + "\" has the name \"" + first->second + "\" already");
        }
    }

    [[nodiscard]] std::string api_name(const std::string& column) const {
        const auto found = std::ranges::find_if(rule_.rename, [&](const auto& entry) { return entry.second == column; });
        return found == rule_.rename.end() ? column : found->first;
    }

    void check_clashes(const std::vector<ApiColumn>& shown) const {
        std::set<std::string_view> taken;
        for (const ApiColumn& column : shown)
            if (!taken.insert(column.name).second)
                complaints_.add("/rename/" + pointer_token(column.name),
                                "two columns have the name \"" + column.name + "\": hide or rename the other");
    }

    const Relation& relation_;
    const ResourceRule& rule_;
    const Complaints& complaints_;
    std::vector<std::string> names_;
};

}  // namespace

void Complaints::add(const std::string& below, std::string message, std::string suggestion) const {
    findings.problems.push_back({file, path + below, std::move(message), std::move(suggestion)});
}

void Complaints::warn(std::string message) const { findings.warnings.push_back({file, path, std::move(message), {}}); }

void show_columns(Resource& resource, const ResourceRule& rule, const std::vector<std::string>& ways,
                  const Complaints& complaints) {
    const Columns columns(*resource.relation, rule, complaints);
    columns.check(ways);
    resource.columns = columns.stored();
    resource.computed = columns.computed(resource.columns);
}

}  // namespace millrace::routes

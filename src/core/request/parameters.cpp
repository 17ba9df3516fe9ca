// Parses each parameter of a query by its role and puts the result where it belongs.
#include <algorithm>

#include "grammar.hpp"
#include "query.hpp"

namespace millrace::request {
namespace {

struct Place {
    EmbedPath path;
    FieldPath field;
};

Result<Place> place_of(std::string_view key) {
    return parse_all<Place>("tree path", key, [](Cursor& c, Place& out) { return tree_path(c, out.path, out.field); });
}

Result<std::vector<std::string>> parse_names(std::string_view what, std::string_view text) {
    return parse_all<std::vector<std::string>>(what, text,
                                               [](Cursor& c, std::vector<std::string>& out) { return names(c, out); });
}

// As a set, in the order in which they were first named.
void drop_repeated(std::vector<std::string>& columns) {
    std::vector<std::string> out;
    out.reserve(columns.size());
    for (auto& column : columns)
        if (std::ranges::find(out, column) == out.end()) out.push_back(std::move(column));
    columns = std::move(out);
}

class Reader {
public:
    Reader(bool arguments, ApiRequest& out, std::vector<RawWindow>& windows)
        : arguments_(arguments), out_(out), windows_(windows) {}

    Result<void> read(const Parameter& parameter) {
        switch (parameter.role) {
            case Role::select:
                return select(parameter.value);
            case Role::columns:
                return columns(parameter.value);
            case Role::on_conflict:
                return on_conflict(parameter.value);
            case Role::order:
                return order(parameter);
            case Role::limit:
            case Role::offset:
                return window(parameter);
            case Role::logic:
                return logic(parameter);
            case Role::filter:
                return filter(parameter);
        }
        return {};
    }

private:
    Result<void> select(std::string_view value) {
        if (out_.has_select) return {};
        auto items = parse_select(value);
        if (!items) return std::move(items).error();
        out_.has_select = true;
        out_.select = *std::move(items);
        return {};
    }

    Result<void> columns(std::string_view value) {
        if (out_.has_columns) return {};
        auto found = parse_names("columns parameter", value);
        if (!found) return std::move(found).error();
        drop_repeated(*found);
        out_.has_columns = true;
        out_.columns = *std::move(found);
        return {};
    }

    Result<void> on_conflict(std::string_view value) {
        if (!out_.on_conflict.empty()) return {};
        auto found = parse_names("on_conflict parameter", value);
        if (!found) return std::move(found).error();
        drop_repeated(*found);
        out_.on_conflict = *std::move(found);
        return {};
    }

    Result<void> order(const Parameter& parameter) {
        auto place = place_of(parameter.key);
        if (!place) return std::move(place).error();
        auto terms = parse_order(parameter.value);
        if (!terms) return std::move(terms).error();
        out_.orders.push_back({std::move(place->path), *std::move(terms)});
        return {};
    }

    Result<void> window(const Parameter& parameter) {
        auto place = place_of(parameter.key);
        if (!place) return std::move(place).error();
        note_window(windows_, std::move(place->path), parameter.role, parameter.value);
        return {};
    }

    // rel.not.or=(…): "not" anywhere on the path negates, the other names before the connective are embeds.
    Result<void> logic(const Parameter& parameter) {
        auto place = parse_all<Place>("logic path", parameter.key,
                                      [](Cursor& c, Place& out) { return tree_path(c, out.path, out.field); });
        if (!place) return std::move(place).error();
        const bool negated = std::erase(place->path, "not") > 0;
        auto tree = parse_logic(place->field.column == "or", negated, parameter.value);
        if (!tree) return std::move(tree).error();
        return add(std::move(place->path), *std::move(tree));
    }

    Result<void> filter(const Parameter& parameter) {
        auto place = place_of(parameter.key);
        if (!place) return std::move(place).error();
        if (arguments_ && !is_comparison(parameter.value)) {
            out_.call_arguments.emplace_back(place->path.empty() ? place->field.column : std::string(parameter.key),
                                             parameter.value);
            return {};
        }
        auto condition = parse_all<Condition>("filter", parameter.value,
                                              [](Cursor& c, Condition& out) { return comparison(c, out, Ends::text); });
        if (!condition) return std::move(condition).error();
        condition->field = std::move(place->field);
        return add(std::move(place->path), FilterNode{*std::move(condition)});
    }

    static bool is_comparison(std::string_view value) {
        Cursor c(value);
        Condition head;
        return comparison_head(c, head);
    }

    Result<void> add(EmbedPath path, FilterNode node) {
        conditions_ += conditions_in(node);
        if (conditions_ > filters_max) return bound_error("filter", "too many filters");
        out_.filters.push_back({std::move(path), std::move(node)});
        return {};
    }

    bool arguments_;
    ApiRequest& out_;
    std::vector<RawWindow>& windows_;
    std::size_t conditions_ = 0;
};

}  // namespace

Result<void> read_parameters(const Query& query, bool arguments, ApiRequest& out, std::vector<RawWindow>& windows) {
    Reader reader(arguments, out, windows);
    for (const Parameter& parameter : query.parameters)
        if (auto read = reader.read(parameter); !read) return read;
    return {};
}

}  // namespace millrace::request

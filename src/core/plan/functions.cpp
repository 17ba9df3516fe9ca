// Finds the functions that a plan calls: of computed columns and relationships, and of representations.
#include <algorithm>

#include "millrace/core/plan.hpp"

namespace millrace::plan {
namespace {

class Functions {
public:
    void add(const ReadNode& node) {
        if (node.link != nullptr) add(node.link->relationship->function);
        for (const OutputColumn& column : node.columns) add(column.field);
        for (const Filter& filter : node.filters) add(filter);
        for (const Order& order : node.orders) add(order.field);
        for (const ReadNode& embed : node.embeds) add(embed);
    }
    [[nodiscard]] std::optional<catalog::Volatility> most() const { return most_; }

private:
    void add(const std::optional<catalog::RoutineName>& function) {
        if (function) most_ = std::max(most_.value_or(catalog::Volatility::immutable), function->volatility);
    }

    void add(const Field& field) {
        if (field.column == nullptr) return;
        add(field.column->computed);
        if (!field.column->represented) return;
        add(field.column->represented->to_json);
        add(field.column->represented->from_text);
    }

    void add(const Filter& filter) {
        if (const auto* condition = std::get_if<Condition>(&filter.node)) add(condition->field);
        if (const auto* junction = std::get_if<Junction>(&filter.node))
            for (const Filter& child : junction->children) add(child);
    }

    std::optional<catalog::Volatility> most_;
};

}  // namespace

std::optional<catalog::Volatility> most_volatile_function(const ReadNode& rows) {
    Functions functions;
    functions.add(rows);
    return functions.most();
}

}  // namespace millrace::plan

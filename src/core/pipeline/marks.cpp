// Finds the marks of a planned shape among the parameters of its statements.
#include "marks.hpp"

#include <algorithm>

#include "millrace/core/text.hpp"

namespace millrace::pipeline {

void append_mark(std::string& out, std::size_t value) {
    out += mark_edge;
    if (value < 10)
        out += static_cast<char>('0' + value);
    else
        out += std::to_string(value);
    out += mark_edge;
}

std::string mark_of(std::size_t value) {
    std::string mark;
    append_mark(mark, value);
    return mark;
}

std::optional<std::vector<std::size_t>> take_order(std::string& canonical_query, std::size_t values) {
    std::vector<std::pair<std::size_t, std::size_t>> places;  // where, which
    for (std::size_t value = 0; value < values; ++value) {
        const std::string mark = text::percent_encode(mark_of(value));
        const std::size_t at = canonical_query.find(mark);
        if (at == std::string::npos || canonical_query.find(mark, at + 1) != std::string::npos) return std::nullopt;
        places.emplace_back(at, value);
    }
    std::ranges::sort(places, std::ranges::greater{});
    std::vector<std::size_t> order;
    for (const auto& [at, value] : places) {  // from the back, so that the places before stay where they are
        canonical_query.replace(at, text::percent_encode(mark_of(value)).size(), 1, mark_edge);
        order.insert(order.begin(), value);
    }
    return order;
}

bool place_slots(sql::Script& script, std::size_t values) {
    std::vector<bool> found(values);
    for (sql::Statement& statement : script.statements) {
        if (statement.text.find(mark_edge) != std::string::npos) return false;
        for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
            auto& parameter = statement.parameters[i];
            if (!parameter || parameter->find(mark_edge) == std::string::npos) continue;
            const auto number = text::to_int(std::string_view(*parameter).substr(1, parameter->size() - 2));
            if (!number || *number < 0 || static_cast<std::size_t>(*number) >= values) return false;
            const auto value = static_cast<std::size_t>(*number);
            if (*parameter != mark_of(value)) return false;
            statement.slots.push_back({i, value});
            found[value] = true;
        }
    }
    return std::ranges::all_of(found, [](bool seen) { return seen; });
}

}  // namespace millrace::pipeline

// Compares two answers to one question as sets of rows: without ORDER BY their order means nothing.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "millrace/core/cache.hpp"
#include "millrace/core/text.hpp"

namespace millrace::cache {
namespace {

// Of JSON the elements of the outermost array, else the lines.
std::vector<std::string> parts_of(std::string_view body) {
    std::vector<std::string> parts;
    const auto json = nlohmann::json::parse(body, nullptr, false);
    if (json.is_array()) {
        for (const auto& element : json)
            parts.push_back(element.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    } else {
        for (const std::string_view line : text::split(body, '\n')) parts.emplace_back(line);
    }
    std::ranges::sort(parts);
    return parts;
}

}  // namespace

RowsComparison compare_rows(std::string_view kept, std::string_view read, std::optional<std::int64_t> limit) {
    if (kept == read) return RowsComparison::same;
    const auto ours = parts_of(kept), theirs = parts_of(read);
    if (ours == theirs) return RowsComparison::same;
    // Which rows a limit leaves is open where their order is.
    const bool cut = limit && static_cast<std::int64_t>(std::min(ours.size(), theirs.size())) >= *limit;
    return cut ? RowsComparison::open : RowsComparison::different;
}

}  // namespace millrace::cache

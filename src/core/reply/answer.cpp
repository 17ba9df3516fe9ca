// Tells where the rows of an answer stand among all rows, and words what goes wrong with them.
#include "answer.hpp"

#include <algorithm>

#include "millrace/core/text.hpp"

namespace millrace::reply {

std::string content_range(std::int64_t first, std::int64_t last, Total total) {
    std::string out = first <= last && total != 0 ? std::to_string(first) + "-" + std::to_string(last) : "*";
    out += '/';
    return out += total ? std::to_string(*total) : "*";
}

int read_status(std::int64_t first, std::int64_t last, Total total) { return total && 1 + last - first < *total ? 206 : 200; }

Result<void> check_window(const request::Window& window, Total total) {
    if (!total || window.offset == 0 || window.offset <= *total) return {};
    return Error::of(Fault::bad_range, "Requested range not satisfiable")
        .with_details("An offset of " + std::to_string(window.offset) + " was requested, but there are only " +
                      std::to_string(*total) + " rows.")
        .with_header("Content-Range", "*/" + std::to_string(*total));
}

Error not_singular(std::size_t rows) {
    return Error::of(Fault::not_singular).with_details("The result contains " + std::to_string(rows) + " rows");
}

Error too_many_affected(std::int64_t count) {
    return Error::of(Fault::max_affected_violated).with_details("The query affects " + std::to_string(count) + " rows");
}

void add_applied(const Shape& shape, message::HeaderBlock& headers) {
    std::string value;
    for (const std::string& preference : shape.applied) value += (value.empty() ? "" : ", ") + preference;
    if (!value.empty()) headers.add("Preference-Applied", value);
    if (!shape.warning.empty()) headers.add("Warning", shape.warning);
}

std::size_t row_count(sql::Answer answer, const sql::Rows& rows) {
    if (answer == sql::Answer::rows) return rows.count();
    const auto count = rows.count() == 0 ? std::nullopt : text::to_int(rows.at(0, 0));
    return static_cast<std::size_t>(std::max<std::int64_t>(count.value_or(0), 0));
}

std::uint64_t rows_in(std::string_view content_range) {
    const std::string_view range = content_range.substr(0, content_range.find('/'));
    const std::size_t dash = range.find('-');
    if (dash == std::string_view::npos) return 0;
    const auto first = text::to_int(range.substr(0, dash)), last = text::to_int(range.substr(dash + 1));
    return first && last && *last >= *first ? static_cast<std::uint64_t>(*last - *first) + 1 : 0;
}

}  // namespace millrace::reply

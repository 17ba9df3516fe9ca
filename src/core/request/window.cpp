// limit, offset and the Range header: which rows are wanted. PostgREST, "Pagination and Count".
#include <algorithm>
#include <charconv>
#include <limits>

#include "millrace/core/text.hpp"
#include "query.hpp"

namespace millrace::request {
namespace {

constexpr std::int64_t unbounded = std::numeric_limits<std::int64_t>::max();

Error negative_limit() { return Error::of(Fault::bad_range).with_details("Limit should be greater than or equal to zero."); }

// A whole number, cut to what an int64 holds; anything else is not taken into account, as in PostgREST.
std::optional<std::int64_t> whole(std::string_view text) {
    text = text::trim(text);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
    if (error == std::errc{}) return value;
    return text.starts_with('-') ? -unbounded : unbounded;
}

// Rows `first` up to and with `last`; `last` is `unbounded` when nothing bounds it.
struct Rows {
    std::int64_t first = 0, last = unbounded;
};

std::int64_t last_row(std::int64_t offset, std::int64_t limit) {
    if (offset > 0 && limit > unbounded - offset) return unbounded;
    return offset + limit - 1;
}

Rows rows_of(const RawWindow& window) {
    const std::int64_t offset = window.offset.value_or(0);
    Rows rows{std::max<std::int64_t>(offset, 0), unbounded};
    if (window.limit) rows.last = last_row(offset, *window.limit);
    return rows;
}

Window window_of(Rows rows) {
    Window window;
    window.offset = rows.first;
    if (rows.last != unbounded) window.limit = rows.last - rows.first + 1;
    return window;
}

Rows rows_of(const Window& window) {
    return {window.offset, window.limit ? last_row(window.offset, *window.limit) : unbounded};
}

Result<Window> fold(const RawWindow& raw, const std::optional<Window>& range) {
    if (raw.limit == 0) return Window{0, 0};
    if (raw.limit && *raw.limit < 0) return negative_limit();
    Rows rows = rows_of(raw);
    if (range) {
        const Rows header = rows_of(*range);
        rows = {std::max(rows.first, header.first), std::min(rows.last, header.last)};
    }
    if (rows.last < rows.first) return negative_limit();
    return window_of(rows);
}

}  // namespace

Result<std::optional<Window>> parse_range(std::string_view range_header) {
    const auto dash = range_header.find('-');
    if (dash == std::string_view::npos || dash == 0) return std::optional<Window>{};
    const auto is_digits = [](std::string_view s) {
        return std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; });
    };
    const std::string_view first = range_header.substr(0, dash), last = range_header.substr(dash + 1);
    if (!is_digits(first) || !is_digits(last)) return std::optional<Window>{};
    const Rows rows{*whole(first), whole(last).value_or(unbounded)};
    if (rows.last < rows.first)
        return Error::of(Fault::bad_range)
            .with_details("The lower boundary must be lower than or equal to the upper boundary in the Range header.");
    return std::optional<Window>(window_of(rows));
}

void note_window(std::vector<RawWindow>& windows, EmbedPath path, Role role, std::string_view value) {
    const auto number = whole(value);
    if (!number) return;
    auto at = std::ranges::find(windows, path, &RawWindow::path);
    if (at == windows.end()) at = windows.insert(windows.end(), RawWindow{std::move(path), std::nullopt, std::nullopt});
    (role == Role::limit ? at->limit : at->offset) = number;
}

Result<void> place_windows(std::vector<RawWindow> raw, std::string_view range_header, ApiRequest& out) {
    const auto root = std::ranges::find_if(raw, [](const RawWindow& w) { return w.path.empty(); });
    // limit=0 asks for no rows at all, whatever the header says.
    const bool none = root != raw.end() && root->limit == 0;
    auto range = none ? Result<std::optional<Window>>(std::nullopt) : parse_range(range_header);
    if (!range) return std::move(range).error();
    out.range_header = range->has_value();
    if (out.range_header && root == raw.end()) raw.push_back({});
    for (RawWindow& window : raw) {
        auto folded = fold(window, window.path.empty() ? *range : std::nullopt);
        if (!folded) return std::move(folded).error();
        out.windows.push_back({std::move(window.path), *folded});
    }
    return {};
}

}  // namespace millrace::request

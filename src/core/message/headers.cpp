// Header fields of requests and replies: looked up without case, kept as the bytes that are sent.
#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>

#include "millrace/core/message.hpp"
#include "millrace/core/text.hpp"

namespace millrace::message {
namespace {

const Header* find(const std::vector<Header>& headers, std::string_view wanted) {
    auto found = std::ranges::find_if(headers, [&](const Header& h) { return text::iequals(h.name, wanted); });
    return found == headers.end() ? nullptr : &*found;
}

// The line of that name at or after `from`: its start and its length with CRLF; npos when there is none.
std::pair<std::size_t, std::size_t> find_line(std::string_view lines, std::string_view name, std::size_t from) {
    while (from < lines.size()) {
        const std::size_t end = lines.find("\r\n", from) + 2;
        const std::string_view line = lines.substr(from, end - from);
        if (line.size() > name.size() && line[name.size()] == ':' && text::iequals(line.substr(0, name.size()), name))
            return {from, line.size()};
        from = end;
    }
    return {std::string_view::npos, 0};
}

constexpr std::size_t room_for_more = 320;  // Age, Cache-Status and others of the moment: one allocation for all

constexpr std::array ends_line = {'\r', '\n', '\0'};

// A value from the database or a configuration must not end its line: what could is dropped.
void append_value(std::string& out, std::string_view value) {
    const auto is_in = [&](char c) {
        return value.find(c) != std::string_view::npos;
    };  // memchr: three are fewer than one loop
    if (std::ranges::none_of(ends_line, is_in)) {
        out += value;
        return;
    }
    const auto ends = [](char c) { return std::ranges::find(ends_line, c) != ends_line.end(); };
    std::ranges::remove_copy_if(value, std::back_inserter(out), ends);
}

}  // namespace

bool frames_message(std::string_view field_name) {
    switch (field_name.size()) {
        case 4:
            return text::iequals(field_name, "date");
        case 7:
            return text::iequals(field_name, "trailer") || text::iequals(field_name, "upgrade");
        case 10:
            return text::iequals(field_name, "connection") || text::iequals(field_name, "keep-alive");
        case 12:
            return text::iequals(field_name, "x-request-id");
        case 14:
            return text::iequals(field_name, "content-length");
        case 17:
            return text::iequals(field_name, "transfer-encoding");
        default:
            return false;
    }
}

std::string_view Request::header(std::string_view wanted) const {
    const Header* found = find(headers, wanted);
    return found == nullptr ? std::string_view() : found->value;
}

bool Request::has_header(std::string_view wanted) const { return find(headers, wanted) != nullptr; }

void HeaderBlock::add(std::string_view name, std::string_view value) {
    if (frames_message(name)) return;
    lines_ += name;
    lines_ += ": ";
    append_value(lines_, value);
    lines_ += "\r\n";
}

void HeaderBlock::set(std::string_view name, std::string_view value) {
    remove(name);
    add(name, value);
}

void HeaderBlock::remove(std::string_view name) {
    for (auto [at, length] = find_line(lines_, name, 0); length != 0; std::tie(at, length) = find_line(lines_, name, at))
        lines_.erase(at, length);
}

std::string_view HeaderBlock::get(std::string_view name) const {
    const auto [at, length] = find_line(lines_, name, 0);
    if (length == 0) return {};
    return text::trim(std::string_view(lines_).substr(at + name.size() + 1, length - name.size() - 3));
}

HeaderBlock HeaderBlock::from_lines(std::string_view lines) {
    HeaderBlock block;
    block.lines_.reserve(lines.size() + room_for_more);
    block.lines_ = lines;
    return block;
}

}  // namespace millrace::message

// Which requests mean the same work, told by their bytes alone: requests that differ in plain filter values share one plan.
#include <algorithm>
#include <array>

#include "marks.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

// The fields that decide what a read gives, besides its target.
constexpr std::string_view deciding[] = {"Accept", "Prefer", "Range", "Range-Unit", "Accept-Profile", "Millrace-Range"};

constexpr std::size_t target_bytes_max = 1024;  // longer ones are rare and would fill the memory of the others
constexpr std::size_t marks_max = 8;
constexpr std::size_t value_bytes_max = 64;

void append_part(std::string& out, std::string_view part) {
    out += part;
    out += '\n';  // cannot stand in a target or in a field's value
}

bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == ':';
}

// A column of the resource itself: no embed's path, no JSON path, no reserved word.
bool is_column(std::string_view name) {
    constexpr std::array reserved = {"select", "order", "limit", "offset", "and", "or", "columns", "on_conflict"};
    return !name.empty() && std::ranges::all_of(name, is_plain) && std::ranges::find(reserved, name) == reserved.end();
}

// Where the value of "eq.42" begins; npos when the filter is not as simple as that. Only operators that compare with one
// parameter as it is written.
std::size_t value_at(std::string_view filter) {
    for (const std::string_view op : {"eq.", "neq.", "gt.", "gte.", "lt.", "lte."}) {
        if (!filter.starts_with(op)) continue;
        const std::string_view value = filter.substr(op.size());
        const bool plain = !value.empty() && value.size() <= value_bytes_max &&
                           std::ranges::all_of(value, [](char c) { return is_plain(c) || c == '.'; });
        return plain ? op.size() : std::string_view::npos;
    }
    return std::string_view::npos;
}

void append_parameter(std::string& out, std::string_view parameter, std::vector<std::string>& values) {
    const std::size_t equals = parameter.find('=');
    const bool simple = equals != std::string_view::npos && values.size() < marks_max && is_column(parameter.substr(0, equals));
    const std::size_t at = simple ? value_at(parameter.substr(equals + 1)) : std::string_view::npos;
    if (at == std::string_view::npos) {
        out += parameter;
        return;
    }
    out += parameter.substr(0, equals + 1 + at);
    out += mark_of(values.size());
    values.emplace_back(parameter.substr(equals + 1 + at));
}

}  // namespace

bool rememberable(const message::Request& request, const auth::Identity& identity) {
    const bool reads = request.method == message::Method::get || request.method == message::Method::head;
    return reads && !identity.authenticated && request.target.size() <= target_bytes_max;
}

void append_shape(std::string& out, const message::Request& request, std::vector<std::string>& values) {
    out += request.path;
    // An escaped mark in a value would be taken for one of ours.
    if (request.query.empty() || request.query.find("%01") != std::string_view::npos) {
        out += request.target.substr(std::min(request.path.size(), request.target.size()));
        return;
    }
    char separator = '?';
    for (std::string_view rest = request.query;;) {
        const std::size_t end = rest.find('&');
        out += separator;
        append_parameter(out, rest.substr(0, end), values);
        if (end == std::string_view::npos) return;
        rest.remove_prefix(end + 1);
        separator = '&';
    }
}

void append_remember_key(std::string& out, const message::Request& request, std::vector<std::string>& values) {
    append_shape(out, request, values);
    out += '\n';
    append_part(out, message::name(request.method));
    for (const std::string_view field : deciding) {
        for (const message::Header& header : request.headers)
            if (text::iequals(header.name, field)) append_part(out, header.value);
        out += '\n';
    }
}

}  // namespace millrace::pipeline

// Splits and decodes a query string, says what each parameter is for, and writes the form that equal requests share.
#include "query.hpp"

#include <algorithm>
#include <numeric>

#include "grammar.hpp"
#include "millrace/core/text.hpp"

namespace millrace::request {
namespace {

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

Role role_of(std::string_view key) {
    if (key == "select") return Role::select;
    if (key == "columns") return Role::columns;
    if (key == "on_conflict") return Role::on_conflict;
    const auto dot = key.rfind('.');
    const std::string_view last = dot == std::string_view::npos ? key : key.substr(dot + 1);
    if (last == "order") return Role::order;
    if (last == "limit") return Role::limit;
    if (last == "offset") return Role::offset;
    return last == "and" || last == "or" ? Role::logic : Role::filter;
}

// Of filters all must hold, so their order says nothing; of the others the first or the last one counts.
bool order_matters(Role role) { return role != Role::filter && role != Role::logic; }

bool stands_for_itself(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

// Runs of plain characters, which are nearly all there is, are copied at once.
void append_encoded(std::string& out, std::string_view text) {
    while (!text.empty()) {
        const auto plain = static_cast<std::size_t>(std::ranges::find_if_not(text, stands_for_itself) - text.begin());
        out += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) return;
        out += text::percent_encode(text.substr(0, 1));
        text.remove_prefix(1);
    }
}

Error refused(std::string_view why) {
    return Error::of(Fault::bad_query, "failed to parse the query string").with_details(std::string(why));
}

}  // namespace

void append_decoded(std::string& out, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
            out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
}

Result<void> read_query(std::string_view text, Query& out) {
    out.bytes.reserve(text.size());  // decoding never lengthens: the views below stay valid
    while (!text.empty()) {
        const auto pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(pair.size() + 1, text.size()));
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos) continue;
        if (out.parameters.size() == parameters_max) return refused("too many parameters");
        const std::size_t key_at = out.bytes.size();
        append_decoded(out.bytes, pair.substr(0, equals));
        const std::size_t value_at = out.bytes.size();
        append_decoded(out.bytes, pair.substr(equals + 1));
        const std::string_view bytes = out.bytes;
        Parameter parameter{bytes.substr(key_at, value_at - key_at), bytes.substr(value_at), Role::filter};
        // Each for itself: two halves of a character must not be joined across the border.
        if (!text::valid_utf8(parameter.key) || !text::valid_utf8(parameter.value)) return refused("it is no valid UTF-8");
        parameter.role = role_of(parameter.key);
        out.parameters.push_back(parameter);
    }
    if (out.bytes.find('\0') != std::string::npos) return refused("it contains a NUL character");
    return {};
}

std::string canonical(const Query& query, bool call) {
    const auto& parameters = query.parameters;
    std::vector<std::size_t> order(parameters.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // Arguments of a function may repeat, and then their order is the order of a variadic argument's elements.
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
        const Parameter &x = parameters[a], &y = parameters[b];
        if (const int keys = x.key.compare(y.key); keys != 0) return keys < 0;
        if (!call && !order_matters(x.role))
            if (const int values = x.value.compare(y.value); values != 0) return values < 0;
        return a < b;
    });
    std::string out;
    out.reserve(query.bytes.size() + query.bytes.size() / 4 + 2 * parameters.size());
    for (std::size_t i : order) {
        if (!out.empty()) out += '&';
        append_encoded(out, parameters[i].key);
        out += '=';
        append_encoded(out, parameters[i].value);
    }
    return out;
}

}  // namespace millrace::request

// An error as the reply that PostgREST's clients expect: {code, message, details, hint}.
#include <algorithm>

#include "millrace/core/reply.hpp"
#include "millrace/core/text.hpp"

namespace millrace::reply {
namespace {

void append_optional(std::string& out, const std::optional<std::string>& value, bool is_json) {
    if (!value) {
        out += "null";
    } else if (is_json) {
        out += *value;
    } else {
        text::append_json_string(out, *value);
    }
}

std::string body_of(const Error& error, Verbosity verbosity) {
    std::string out = "{\"code\":";
    text::append_json_string(out, error.code);
    if (verbosity == Verbosity::verbose) {
        out += ",\"details\":";
        append_optional(out, error.details, error.details_is_json);
        out += ",\"hint\":";
        append_optional(out, error.hint, false);
    }
    out += ",\"message\":";
    text::append_json_string(out, error.message);
    return out += "}";
}

// A function can raise any text as a code; in a field only what needs no quotes is told.
bool is_plain(std::string_view code) {
    const auto plain = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == '.';
    };
    return !code.empty() && std::ranges::all_of(code, plain);
}

}  // namespace

message::Reply from_error(const Error& error, Verbosity verbosity) {
    message::Reply reply;
    reply.status = error.status;
    reply.headers.add("Content-Type", "application/json; charset=utf-8");
    if (is_plain(error.code)) reply.headers.add("Proxy-Status", "PostgREST; error=" + error.code);
    for (const auto& [name, value] : error.headers) reply.headers.add(name, value);
    reply.body = body_of(error, verbosity);
    return reply;
}

}  // namespace millrace::reply

// An error as the reply that PostgREST's clients expect: {code, message, details, hint}.
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

std::string body_of(const Error& error) {
    std::string out = "{\"code\":";
    text::append_json_string(out, error.code);
    out += ",\"details\":";
    append_optional(out, error.details, error.details_is_json);
    out += ",\"hint\":";
    append_optional(out, error.hint, false);
    out += ",\"message\":";
    text::append_json_string(out, error.message);
    return out += "}";
}

}  // namespace

message::Reply from_error(const Error& error) {
    message::Reply reply;
    reply.status = error.status;
    reply.headers.add("Content-Type", "application/json; charset=utf-8");
    for (const auto& [name, value] : error.headers) reply.headers.add(name, value);
    reply.body = body_of(error);
    return reply;
}

}  // namespace millrace::reply

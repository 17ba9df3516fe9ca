// Answers that depend on what the client has already.
#include <array>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {
namespace {

// What a 304 repeats of the 200 it stands for (RFC 9110 §15.4.5); the rest describes a body that is not sent.
constexpr std::array kept = {"ETag", "Cache-Control", "Vary", "Age", "Cache-Status", "Deprecation", "Sunset"};

}  // namespace

void apply_conditions(const message::Request& request, message::Reply& reply) {
    if (reply.status != 200 && reply.status != 206) return;
    const std::string_view condition = request.header("If-None-Match");
    if (condition.empty() || !message::etag_matches(condition, reply.headers.get("ETag"))) return;
    message::Reply unchanged;
    unchanged.status = 304;
    unchanged.close = reply.close;
    for (const char* name : kept)
        if (const auto value = reply.headers.get(name); !value.empty()) unchanged.headers.add(name, value);
    reply = std::move(unchanged);
}

}  // namespace millrace::pipeline

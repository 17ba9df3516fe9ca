// Answers that depend on what the client has already (RFC 9110 §13). There are no dates here, so the conditions on dates are
// ignored, as §13.1.3 and §13.1.4 want it of who has none.
#include <array>

#include "guard.hpp"
#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {
namespace {

// What a 304 repeats of the 200 it stands for (RFC 9110 §15.4.5); the rest describes a body that is not sent.
constexpr std::array kept = {"Cache-Control", "CDN-Cache-Control", "Vary",        "Content-Location", "Age",
                             "Cache-Status",  "Cache-Groups",      "Deprecation", "Sunset",           "Surrogate-Key"};

message::Reply unchanged(const message::Reply& reply, const std::string& etag) {
    message::Reply out;
    out.status = 304;
    out.close = reply.close;
    if (!etag.empty()) out.headers.add("ETag", etag);
    for (const char* name : kept)
        if (const auto value = reply.headers.get(name); !value.empty()) out.headers.add(name, value);
    return out;
}

// A client that holds the answer in another coding than the one it would get now is told that what it holds is still right, as
// long as it still takes that coding.
bool takes(const message::Request& request, coding::Coding coding) {
    return coding == coding::Coding::identity || coding::Accepted(request.header("Accept-Encoding")).takes(coding);
}

}  // namespace

bool holds_if_match(std::string_view condition, std::string_view etag) {
    return message::is_any(condition) || message::find_tag(condition, etag, message::Comparison::strong).has_value();
}

Result<void> apply_conditions(const message::Request& request, message::Reply& reply) {
    const std::string_view match = request.header("If-Match"), none_match = request.header("If-None-Match");
    if (match.empty() && none_match.empty()) return {};
    const bool reads = request.method == message::Method::get || request.method == message::Method::head;
    if (!reads || (reply.status != 200 && reply.status != 206)) return {};
    const std::string_view etag = reply.headers.get("ETag");
    if (!match.empty() && !holds_if_match(match, etag)) return Error::of(Fault::precondition_failed);
    if (message::is_any(none_match)) {
        reply = unchanged(reply, std::string(etag));
    } else if (const auto tag = message::find_tag(none_match, etag, message::Comparison::weak);
               tag && takes(request, tag->coding)) {
        reply = unchanged(reply, message::tag_in(etag, tag->coding));
    }
    return {};
}

}  // namespace millrace::pipeline

// Any bytes as the fields by which a request makes its answer another one: conditions, content codings, directives for caches.
#include "input.hpp"
#include "millrace/core/pipeline.hpp"

namespace {

using namespace millrace;

constexpr std::string_view etag = "\"1f-a0.25\"";

message::Request request_of(std::string_view rest) {
    message::Request request;
    for (const char* name : {"If-None-Match", "If-Match", "Accept-Encoding", "Cache-Control", "Cache-Control", "Pragma"})
        request.headers.push_back({name, fuzz::take_line(rest)});
    return request;
}

void read_conditions(const message::Request& request) {
    message::Reply reply;
    reply.headers.add("ETag", etag);
    reply.body = std::string("[]");
    const auto met = pipeline::apply_conditions(request, reply);
    if (!met) return fuzz::check(met.error().status == 412);
    fuzz::check(reply.status == 200 || reply.status == 304);
    // What a 304 calls still right is our answer, in some coding.
    if (reply.status == 304) fuzz::check(reply.body.view().empty() && reply.headers.get("ETag").starts_with("\"1f-a0.25"));
}

void read_codings(const message::Request& request) {
    const coding::Accepted accepted(request.header("Accept-Encoding"));
    const coding::Coding chosen = accepted.choose(coding::all_codings);
    fuzz::check(chosen == coding::Coding::identity || accepted.takes(chosen));
}

void read_directives(const message::Request& request) {
    const auto said = pipeline::client_directives(request);
    constexpr Duration most = std::chrono::seconds(2'147'483'648);
    fuzz::check(said.min_fresh >= Duration::zero() && said.min_fresh <= most);
    fuzz::check(!said.max_age || (*said.max_age >= Duration::zero() && *said.max_age <= most));
    cache::Entry entry;
    entry.fresh_for = std::chrono::seconds(10);
    fuzz::check(!said.no_cache || !said.accept(entry, WallTime{}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const message::Request request = request_of(fuzz::text_of(data, size));
    read_conditions(request);
    read_codings(request);
    read_directives(request);
    return 0;
}

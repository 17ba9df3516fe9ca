// The second half: rows become the reply.
#include <algorithm>

#include "allow.hpp"
#include "caching_headers.hpp"
#include "describe.hpp"
#include "marks.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

void add_location(const Template& location, std::span<const std::string> values, message::HeaderBlock& headers) {
    if (location.text.empty()) return;
    if (location.order.empty()) return headers.add("Content-Location", location.text);
    std::string out;
    std::size_t next = 0;
    for (const char c : location.text) {
        if (c == mark_edge)
            out += text::percent_encode(values[location.order[next++]]);
        else
            out += c;
    }
    headers.add("Content-Location", out);
}

// The rows alone do not tell that there are more of them elsewhere; who asked how many there are is told of those too.
std::string etag_of(const Work& work, const message::Reply& reply) {
    const std::string_view range = reply.headers.get("Content-Range");
    const std::string_view total = range.substr(std::min(range.find('/') + 1, range.size()));
    return reply::entity_tag(reply.body.view(), work.shape.representation.name, total == "*" ? std::string_view() : total);
}

// A write is done whatever its answer's size.
Result<void> check_size(const Work& work, const message::Reply& reply) {
    const std::uint64_t most = work.policies().answer_bytes_max;
    if (most == 0 || work.script.writes || reply.body.view().size() <= most) return {};
    return answer_too_large(work);
}

// What every answer of a version says, and what the database has to say of this one.
Result<void> end_head(const Work& work, const sql::Results& results, message::Reply& reply) {
    routes::add_version_headers(work.api->table(), reply.headers);
    if (work.negotiated) reply.headers.add("Content-Profile", work.api->table().schema);
    if (!work.script.outcome) return {};
    return apply_outcome(results[*work.script.outcome], reply);
}

}  // namespace

Error answer_too_large(const Work& work) {
    return Error::of(Fault::answer_too_large)
        .with_details("The route allows " + std::to_string(work.policies().answer_bytes_max) + " bytes")
        .with_hint("Ask for fewer rows by limit, or for fewer columns by select");
}

Result<message::Reply> finish(const Work& work, const sql::Results& results, std::span<const std::string> values) {
    const bool has_rows = !work.describing && !work.allowing;
    Result<message::Reply> reply = work.describing ? describe(work, results)
                                   : work.allowing ? allow(work, results)
                                                   : reply::from_rows(work.shape, work.script, results);
    if (!reply) return reply;
    if (has_rows)
        if (auto small = check_size(work, *reply); !small) return std::move(small).error();
    if (!work.script.writes && work.safe && has_rows) {
        reply->headers.add("ETag", etag_of(work, *reply));
        add_read_headers(work, *reply);
    }
    if (work.script.writes) add_write_headers(work, *reply);
    add_location(work.location, values, reply->headers);
    if (auto ended = end_head(work, results, *reply); !ended) return std::move(ended).error();
    return reply;
}

// Without an ETag: it is made of a whole body.
Result<message::Reply> begin(const Work& work, const sql::Results& results, std::span<const std::string> values) {
    message::Reply reply = reply::from_first_rows(work.shape, work.script, results);
    add_read_headers(work, reply);
    add_location(work.location, values, reply.headers);
    if (auto ended = end_head(work, results, reply); !ended) return std::move(ended).error();
    return reply;
}

}  // namespace millrace::pipeline

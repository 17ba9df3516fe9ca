// The second half: rows become the reply, the reply may become an entry of the cache, and an entry becomes a reply again.
#include <algorithm>
#include <array>

#include "allow.hpp"
#include "describe.hpp"
#include "marks.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

std::string cache_control(const routes::CachePolicy& policy, bool authenticated) {
    const char* scope = authenticated || !policy.shared ? "private" : "public";
    if (policy.max_age_s == 0) return std::string(scope) + ", no-cache";
    return std::string(scope) + ", max-age=" + std::to_string(policy.max_age_s);
}

// What a cache in front must tell apart.
constexpr std::string_view vary = "Accept, Authorization, Prefer, Range, Accept-Profile";

const routes::ResolvedPolicies& policies_of(const Work& work) {
    return work.function == nullptr ? work.resource->policies : work.function->policies;
}

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

void add_read_headers(const Work& work, message::Reply& reply) {
    reply.headers.add("Cache-Control", cache_control(policies_of(work).cache, work.authenticated));
    reply.headers.add("Vary", vary);
}

std::optional<cache::PgSnapshot> snapshot_of(const Work& work, const sql::Results& results, const cache::PgSnapshot& fallback) {
    const sql::Rows& rows = results[work.script.main];
    if (work.script.has_snapshot && rows.count() > 0) return cache::PgSnapshot::parse(rows.at(0, rows.columns - 1));
    return fallback.xmax == 0 ? std::nullopt : std::optional(fallback);
}

// What a 304 repeats of the 200 it stands for (RFC 9110 §15.4.5); the rest describes a body that is not sent.
constexpr std::array kept = {"ETag", "Cache-Control", "Vary", "Age", "Cache-Status", "Deprecation", "Sunset"};

// What every answer of a version says, and what the database has to say of this one.
Result<void> end_head(const Work& work, const sql::Results& results, message::Reply& reply) {
    routes::add_version_headers(work.api->table(), reply.headers);
    if (work.negotiated) reply.headers.add("Content-Profile", work.api->table().schema);
    if (!work.script.outcome) return {};
    return apply_outcome(results[*work.script.outcome], reply);
}

}  // namespace

Result<message::Reply> finish(const Work& work, const sql::Results& results, std::span<const std::string> values) {
    const bool has_rows = !work.describing && !work.allowing;
    Result<message::Reply> reply = work.describing ? describe(work, results)
                                   : work.allowing ? allow(work, results)
                                                   : reply::from_rows(work.shape, work.script, results);
    if (!reply) return reply;
    if (!work.script.writes && work.safe && has_rows) {
        reply->headers.add("ETag", reply::entity_tag(reply->body.view(), work.shape.representation.name));
        add_read_headers(work, *reply);
    }
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

std::optional<cache::Entry> to_entry(const Work& work, const sql::Results& results, const message::Reply& reply,
                                     const cache::PgSnapshot& fallback, WallTime began) {
    if (!work.cache || (reply.status != 200 && reply.status != 206)) return std::nullopt;
    auto snapshot = snapshot_of(work, results, fallback);
    if (!snapshot || reply.body.view().size() > work.snapshot->settings.cache.entry_bytes_max) return std::nullopt;
    cache::Entry entry;
    entry.status = reply.status;
    entry.header_lines = reply.headers.lines();
    entry.body = std::make_shared<const std::string>(reply.body.view());
    entry.etag = reply.headers.get("ETag");
    entry.tags = work.cache->tags;
    entry.snapshot = std::move(*snapshot);
    entry.stored = began;
    entry.fresh_for = std::chrono::seconds(work.cache->policy.ttl_s);
    return entry;
}

message::Reply from_entry(const cache::Entry& entry, WallTime now) {
    message::Reply reply;
    reply.status = entry.status;
    reply.headers = message::HeaderBlock::from_lines(entry.header_lines);
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - entry.stored).count();
    reply.headers.add("Age", std::to_string(std::max<std::int64_t>(age, 0)));
    reply.body = entry.body;
    return reply;
}

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

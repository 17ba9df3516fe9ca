// A reply may become an entry of the cache, and an entry becomes a reply again.
#include <algorithm>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {
namespace {

std::optional<fence::PgSnapshot> snapshot_of(const Work& work, const sql::Results& results, const fence::PgSnapshot& fallback) {
    const sql::Rows& rows = results[work.script.main];
    if (work.script.has_snapshot && rows.count() > 0) return fence::PgSnapshot::parse(rows.at(0, rows.columns - 1));
    return fallback.xmax == 0 ? std::nullopt : std::optional(fallback);
}

}  // namespace

std::optional<cache::Entry> to_entry(const Work& work, const sql::Results& results, const message::Reply& reply,
                                     const fence::PgSnapshot& fallback, WallTime began, std::span<const std::string> values) {
    if (!work.cache || (reply.status != 200 && reply.status != 206)) return std::nullopt;
    auto snapshot = snapshot_of(work, results, fallback);
    if (!snapshot || reply.body.view().size() > work.snapshot->settings.cache.entry_bytes_max) return std::nullopt;
    cache::Entry entry;
    entry.status = reply.status;
    entry.header_lines = reply.headers.lines();
    entry.body = std::make_shared<const std::string>(reply.body.view());
    entry.etag = reply.headers.get("ETag");
    entry.tags = entry_tags(*work.cache, values);
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

}  // namespace millrace::pipeline

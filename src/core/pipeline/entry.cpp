// A reply may become an entry of the cache, and an entry becomes a reply again.
#include <algorithm>

#include "millrace/core/pipeline.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

std::optional<fence::PgSnapshot> snapshot_of(const Work& work, const sql::Results& results, const fence::PgSnapshot& fallback) {
    if (work.script.on_standby) {
        auto state = standby_state(work.script, results);
        return state ? std::optional(std::move(state->snapshot)) : std::nullopt;
    }
    if (work.script.snapshot) return fence::PgSnapshot::parse(results[*work.script.snapshot].at(0, 0));
    const sql::Rows& rows = results[work.script.main];
    if (work.script.has_snapshot && rows.count() > 0) return fence::PgSnapshot::parse(rows.at(0, rows.columns - 1));
    return fallback.xmax == 0 ? std::nullopt : std::optional(fallback);
}

// 406: the rows are not the one that was asked for, which is as true of them as any answer.
bool may_be_kept(int status) { return status == 200 || status == 206 || status == fault_row(Fault::not_singular).status; }
// What a function has said of the answer beside its result was meant for one caller: a cookie, a redirection.
bool spoke_for_itself(const Work& work, const sql::Results& results) {
    if (!work.script.outcome || results[*work.script.outcome].count() == 0) return false;
    const sql::Rows& outcome = results[*work.script.outcome];
    return !outcome.is_null(0, sql::outcome_headers) || !outcome.is_null(0, sql::outcome_status);
}

}  // namespace

std::optional<StandbyState> standby_state(const sql::Script& script, const sql::Results& results) {
    if (!script.snapshot || !script.on_standby || results.size() <= *script.snapshot) return std::nullopt;
    const sql::Rows& said = results[*script.snapshot];
    if (said.count() != 1 || said.is_null(0, sql::standby_xmin)) return std::nullopt;
    const auto xmin = text::to_int(said.at(0, sql::standby_xmin)), timeline = text::to_int(said.at(0, sql::standby_timeline));
    if (!xmin || !timeline) return std::nullopt;
    StandbyState state;
    state.snapshot.xmin = state.snapshot.xmax = static_cast<fence::Xid>(*xmin);
    state.system_identifier = said.at(0, sql::standby_system_identifier);
    state.timeline = static_cast<std::uint32_t>(*timeline);
    return state;
}

std::optional<cache::Entry> to_entry(const Work& work, const sql::Results& results, message::Reply& reply,
                                     const fence::PgSnapshot& fallback, WallTime began, std::span<const std::string> values) {
    if (!work.cache || !may_be_kept(reply.status) || spoke_for_itself(work, results)) return std::nullopt;
    auto snapshot = snapshot_of(work, results, fallback);
    if (!snapshot || reply.body.view().size() > work.snapshot->settings.cache.entry_bytes_max) return std::nullopt;
    cache::Entry entry;
    entry.status = reply.status;
    entry.header_lines = reply.headers.lines();
    entry.body = reply.body.share();
    entry.etag = reply.headers.get("ETag");
    entry.tags = entry_tags(*work.cache, values);
    entry.snapshot = std::move(*snapshot);
    entry.stored = began;
    entry.fresh_for = std::chrono::seconds(work.cache->policy.ttl_s);
    return entry;
}

message::Reply from_entry(const cache::Entry& entry, WallTime now, const cache::Variant* variant) {
    message::Reply reply;
    reply.status = entry.status;
    reply.headers = message::HeaderBlock::from_lines(variant == nullptr ? entry.header_lines : variant->header_lines);
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - entry.stored).count();
    reply.headers.add("Age", std::to_string(std::max<std::int64_t>(age, 0)));
    reply.body = variant == nullptr ? entry.body : variant->body;
    return reply;
}

}  // namespace millrace::pipeline

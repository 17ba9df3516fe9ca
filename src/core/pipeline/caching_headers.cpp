// What an answer tells the caches between us and the client.
#include "caching_headers.hpp"

#include <string>

namespace millrace::pipeline {
namespace {

const routes::CachePolicy& policy_of(const Work& work) {
    return (work.function == nullptr ? work.resource->policies : work.function->policies).cache;
}

void append_seconds(std::string& out, std::string_view directive, std::uint64_t seconds) {
    out.append(", ").append(directive).append("=") += std::to_string(seconds);
}

// RFC 5861. A cache that may not serve stale answers is told so: by RFC 9111 §4.2.4 it could otherwise do it when it does not
// reach us.
void append_stale(std::string& out, const routes::CachePolicy& policy) {
    if (policy.stale_while_revalidate_s > 0) append_seconds(out, "stale-while-revalidate", policy.stale_while_revalidate_s);
    if (policy.stale_if_error_s > 0) append_seconds(out, "stale-if-error", policy.stale_if_error_s);
    if (policy.stale_while_revalidate_s == 0 && policy.stale_if_error_s == 0) out += ", must-revalidate";
}

// By RFC 9111 §3.5 "public", "s-maxage" and "must-revalidate" let shared caches keep answers to requests with Authorization, so
// they get none of them unless the route is shared; "private" rules out all three.
std::string cache_control(const routes::CachePolicy& policy) {
    const std::uint64_t shared_s = policy.shared ? policy.s_maxage_s.value_or(policy.max_age_s) : 0;
    std::string out = policy.shared ? "public" : "private";
    if (policy.max_age_s == 0 && shared_s == 0) return out += ", no-cache";
    append_seconds(out, "max-age", policy.max_age_s);
    if (policy.shared && policy.s_maxage_s) append_seconds(out, "s-maxage", *policy.s_maxage_s);
    append_stale(out, policy);
    return out;
}

// RFC 9213: it takes the place of all of Cache-Control for a CDN, so it must say everything again; and of a route that is not
// shared it says nothing.
std::string cdn_cache_control(const routes::CachePolicy& policy) {
    if (*policy.cdn_max_age_s == 0) return "no-cache";
    std::string out = "public";
    append_seconds(out, "max-age", *policy.cdn_max_age_s);
    append_stale(out, policy);
    return out;
}

// What of a request decides the answer. Consistency-Token is among it: who has written must not be given by a cache in front
// what was there before.
constexpr std::string_view vary = "Accept, Authorization, Prefer, Range, Accept-Profile, Consistency-Token";

bool may_be_compressed(const Work& work, const message::Reply& reply) {
    const std::uint64_t least = work.snapshot->settings.cache.compress_bytes_min;
    return work.cache && least > 0 && reply.body.view().size() >= least;
}

}  // namespace

void add_read_headers(const Work& work, message::Reply& reply) {
    const routes::CachePolicy& policy = policy_of(work);
    reply.headers.add("Cache-Control", cache_control(policy));
    if (policy.shared && policy.cdn_max_age_s) reply.headers.add("CDN-Cache-Control", cdn_cache_control(policy));
    reply.headers.add("Vary", may_be_compressed(work, reply) ? "Accept-Encoding, " + std::string(vary) : std::string(vary));
    if (!work.groups.empty()) reply.headers.add("Cache-Groups", work.groups);
    if (!work.surrogate_keys.empty()) reply.headers.add("Surrogate-Key", work.surrogate_keys);
}

void add_write_headers(const Work& work, message::Reply& reply) {
    if (!work.groups.empty()) reply.headers.add("Cache-Group-Invalidation", work.groups);
}

}  // namespace millrace::pipeline

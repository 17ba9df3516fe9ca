// What an answer tells the caches between us and the client.
#include "caching_headers.hpp"

#include <string>

namespace millrace::pipeline {
namespace {

std::string cache_control(const routes::CachePolicy& policy, bool authenticated) {
    const char* scope = authenticated || !policy.shared ? "private" : "public";
    if (policy.max_age_s == 0) return std::string(scope) + ", no-cache";
    return std::string(scope) + ", max-age=" + std::to_string(policy.max_age_s);
}

// What a cache in front must tell apart.
constexpr std::string_view vary = "Accept, Authorization, Prefer, Range, Accept-Profile";

}  // namespace

void add_read_headers(const Work& work, message::Reply& reply) {
    reply.headers.add("Cache-Control", cache_control(work.policies().cache, work.authenticated));
    reply.headers.add("Vary", vary);
}

}  // namespace millrace::pipeline

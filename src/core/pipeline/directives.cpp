// What a client asks of caches: Cache-Control of a request (RFC 9111 §5.2.1), and Pragma where there is none (§5.4).
#include <algorithm>

#include "millrace/core/pipeline.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

constexpr std::size_t members_max = 32;
constexpr std::int64_t seconds_max = 2'147'483'648;  // §1.2.2: what is larger, or too large to be read, counts as this

// Delta-seconds, in quotes or not. Nothing when it is none: then the directive says nothing.
std::optional<Duration> seconds_of(std::string_view value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    const bool digits = !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return std::nullopt;
    return std::chrono::seconds(std::clamp(text::to_int(value).value_or(seconds_max), std::int64_t{0}, seconds_max));
}

void read_directive(ClientDirectives& out, std::string_view member) {
    const std::size_t equals = std::min(member.find('='), member.size());
    const std::string_view name = text::trim(member.substr(0, equals));
    const std::string_view value = text::trim(member.substr(std::min(equals + 1, member.size())));
    if (text::iequals(name, "no-cache")) out.no_cache = true;
    if (text::iequals(name, "no-store")) out.no_store = true;
    if (text::iequals(name, "only-if-cached")) out.only_if_cached = true;
    if (text::iequals(name, "max-age")) out.max_age = seconds_of(value);
    if (text::iequals(name, "min-fresh")) out.min_fresh = seconds_of(value).value_or(Duration::zero());
    if (text::iequals(name, "max-stale"))
        out.max_stale = value.empty() ? Duration::max() : seconds_of(value).value_or(Duration::zero());
}

}  // namespace

ClientDirectives client_directives(const message::Request& request) {
    ClientDirectives out;
    std::size_t members = 0;
    for (const message::Header& header : request.headers) {
        if (!text::iequals(header.name, "Cache-Control")) continue;
        for (const std::string_view member : text::split(header.value, ','))
            if (members++ < members_max) read_directive(out, text::trim(member));
    }
    if (members == 0 && text::iequals(text::trim(request.header("Pragma")), "no-cache")) out.no_cache = true;
    return out;
}

bool ClientDirectives::accept(const cache::Entry& entry, WallTime now) const {
    if (no_cache) return false;
    const Duration age = std::max(std::chrono::duration_cast<Duration>(now - entry.stored), Duration::zero());
    return (!max_age || age <= *max_age) && entry.fresh_for - age >= min_fresh;
}

}  // namespace millrace::pipeline

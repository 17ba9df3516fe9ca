// Which answers of a service may be kept, and for how long (RFC 9111, RFC 5861).
#include <algorithm>
#include <array>

#include "hops.hpp"
#include "millrace/core/text.hpp"
#include "millrace/core/upstream.hpp"

namespace millrace::upstream {
namespace {

constexpr std::uint64_t seconds_max = 31'536'000;  // a year; RFC 9111 §1.2.2 allows a ceiling

template <class Visit>
void for_each_field(const message::HeaderBlock& headers, Visit visit) {
    std::string_view rest = headers.lines();
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find("\r\n"), rest.size());
        const std::string_view line = rest.substr(0, end);
        const std::size_t colon = std::min(line.find(':'), line.size());
        visit(line.substr(0, colon), text::trim(line.substr(std::min(colon + 1, line.size()))));
        rest.remove_prefix(std::min(end + 2, rest.size()));
    }
}

// RFC 9111 §4.2.1: what cannot be read is stale.
std::uint64_t seconds(std::string_view value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    const bool digits = !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return 0;
    const auto number = text::to_int(value);
    return number ? std::min(static_cast<std::uint64_t>(*number), seconds_max) : seconds_max;
}

// The first of two that differ counts (RFC 9111 §4.2.1).
void set(std::optional<std::uint64_t>& to, std::string_view value) {
    if (!to) to = seconds(value);
}

// A directive's value may be quoted, and then have commas in it: 'no-cache="a, b"'.
std::string_view take_directive(std::string_view& list) {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < list.size() && (quoted || list[end] != ','); ++end)
        if (list[end] == '"') quoted = !quoted;
    const std::string_view one = text::trim(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    return one;
}

void read_directives(Caching& out, std::string_view list) {
    while (!list.empty()) {
        const std::string_view one = take_directive(list);
        const std::size_t sign = std::min(one.find('='), one.size());
        const std::string name = text::lower(text::trim(one.substr(0, sign)));
        const std::string_view value = text::trim(one.substr(std::min(sign + 1, one.size())));
        if (name == "no-store") out.no_store = true;
        if (name == "no-cache") out.no_cache = true;
        if (name == "private") out.is_private = true;
        if (name == "public") out.is_public = true;
        if (name == "must-revalidate") out.must_revalidate = true;
        if (name == "proxy-revalidate") out.proxy_revalidate = true;
        if (name == "max-age") set(out.max_age_s, value);
        if (name == "s-maxage") set(out.s_maxage_s, value);
        if (name == "stale-while-revalidate") set(out.stale_while_revalidate_s, value);
        if (name == "stale-if-error") set(out.stale_if_error_s, value);
    }
}

void read_vary(Caching& out, std::string_view list) {
    std::vector<std::string_view> names;
    append_list(names, list);
    for (const std::string_view name : names) {
        if (name == "*") out.varies_by_anything = true;
        out.vary.push_back(text::lower(name));
    }
}

// Those whose meaning a cache must know to keep them, and of those the ones that may be kept by rule of thumb (RFC 9110 §15.1).
constexpr std::array understood = {200, 203, 204, 300, 301, 302, 307, 308, 404, 405, 410, 414, 501};
constexpr std::array by_rule = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};

bool is_one_of(int status, const auto& list) { return std::ranges::find(list, status) != list.end(); }

// By whom the caller is known, or by everything that a browser is: nothing that two callers would share.
constexpr std::array<std::string_view, 3> told_apart_in_vain = {"authorization", "cookie", "user-agent"};
constexpr std::size_t names_max = 8;

bool can_be_told_apart(const Caching& caching) {
    if (caching.varies_by_anything || caching.vary.size() > names_max) return false;
    return std::ranges::none_of(caching.vary, [](const std::string& name) {
        return std::ranges::find(told_apart_in_vain, name) != told_apart_in_vain.end();
    });
}

std::optional<std::uint64_t> lifetime_s(int status, const Caching& caching, const routes::CachePolicy& policy,
                                        WallTime received) {
    if (caching.s_maxage_s) return caching.s_maxage_s;
    if (caching.max_age_s) return caching.max_age_s;
    if (caching.expires) {
        const auto left = std::chrono::floor<std::chrono::seconds>(*caching.expires - caching.date.value_or(received)).count();
        return std::clamp<std::int64_t>(left, 0, static_cast<std::int64_t>(seconds_max));
    }
    if (policy.ttl_s == 0 || !is_one_of(status, by_rule)) return std::nullopt;
    return policy.ttl_s;
}

}  // namespace

Caching caching_of(const message::HeaderBlock& headers) {
    Caching out;
    for_each_field(headers, [&](std::string_view name, std::string_view value) {
        if (text::iequals(name, "cache-control")) read_directives(out, value);
        if (text::iequals(name, "vary")) read_vary(out, value);
        if (text::iequals(name, "age")) out.age_s = seconds(value);
        if (text::iequals(name, "expires") && !out.expires) out.expires = message::parse_http_date(value).value_or(WallTime{});
        if (text::iequals(name, "set-cookie")) out.sets_cookie = true;
        if (text::iequals(name, "etag")) out.validators.etag = value;
        if (text::iequals(name, "last-modified")) out.validators.last_modified = value;
    });
    std::ranges::sort(out.vary);
    out.vary.erase(std::unique(out.vary.begin(), out.vary.end()), out.vary.end());
    return out;
}

bool may_use_cache(const message::Request& request) {
    constexpr std::array<std::string_view, 4> parts = {"Range", "If-Range", "If-Match", "If-Unmodified-Since"};
    const bool reads = request.method == message::Method::get || request.method == message::Method::head;
    const auto asks = [&](std::string_view name) { return request.has_header(name); };
    return reads && request.body.empty() && std::ranges::none_of(parts, asks);
}

bool shows_caller(const routes::UpstreamPolicy& policy, const message::Request& request) {
    return policy.forward_authorization && (request.has_header("Authorization") || request.has_header("apikey"));
}

std::optional<Kept> may_keep(int status, const Caching& caching, bool caller_shown, const routes::CachePolicy& policy,
                             WallTime received) {
    if (!is_one_of(status, understood) || caching.no_store || caching.no_cache || caching.is_private || caching.sets_cookie)
        return std::nullopt;
    if (!can_be_told_apart(caching)) return std::nullopt;
    if (caller_shown && !caching.is_public && !caching.must_revalidate && !caching.s_maxage_s) return std::nullopt;
    const auto lifetime = lifetime_s(status, caching, policy, received);
    if (!lifetime || *lifetime <= caching.age_s) return std::nullopt;
    return Kept{std::chrono::seconds(*lifetime), std::chrono::seconds(caching.age_s)};
}

// RFC 9111 §5.2.2.2, §5.2.2.8, §5.2.2.10: these rule out what a route would allow.
cache::StaleWindows stale_windows(const Caching& caching, const routes::CachePolicy& policy) {
    if (caching.must_revalidate || caching.proxy_revalidate || caching.s_maxage_s) return {};
    return {std::chrono::seconds(caching.stale_while_revalidate_s.value_or(policy.stale_while_revalidate_s)),
            std::chrono::seconds(caching.stale_if_error_s.value_or(policy.stale_if_error_s))};
}

// What describes the body stays the kept one's: it is that body which is given.
message::HeaderBlock renewed(const message::HeaderBlock& kept, const message::HeaderBlock& said) {
    message::HeaderBlock out = kept;
    std::vector<std::string> replaced;
    for_each_field(said, [&](std::string_view name, std::string_view value) {
        if (text::lower(name).starts_with("content-") || text::iequals(name, "age")) return;
        if (std::ranges::find(replaced, text::lower(name)) == replaced.end()) out.remove(name);
        replaced.push_back(text::lower(name));
        out.add(name, value);
    });
    return out;
}

}  // namespace millrace::upstream

// Methods and policies: whatever lets fewer requests pass than before breaks somebody.
#include <algorithm>
#include <array>
#include <utility>

#include "findings.hpp"

namespace millrace::versions {
namespace {

using routes::Access;
using routes::Idempotency;
using routes::ResolvedPolicies;

std::vector<std::string> words_of(const std::string& list) {
    std::vector<std::string> words;
    for (std::size_t from = 0; from < list.size();) {
        const std::size_t comma = std::min(list.find(',', from), list.size());
        words.push_back(list.substr(from, comma - from));
        from = comma + 1;
    }
    return words;
}

// Who gets in, from everybody to those with a token.
int strictness(Access access) {
    switch (access) {
        case Access::anybody:
            return 0;
        case Access::standard:
            return 1;
        case Access::identified:
            return 2;
    }
    return 0;
}

std::string_view name(Access access) {
    switch (access) {
        case Access::anybody:
            return "anybody";
        case Access::standard:
            return "what auth.anonymous says";
        case Access::identified:
            return "identified callers only";
    }
    return {};
}

void compare_access(const std::string& where, const ResolvedPolicies& older, const ResolvedPolicies& newer, Findings& out) {
    const std::string change = "open to " + std::string(name(newer.access)) + ", was " + std::string(name(older.access));
    if (strictness(newer.access) > strictness(older.access)) out.breaks(where, change);
    if (strictness(newer.access) < strictness(older.access)) out.adds(where, change);
    if (const std::string more = missing(newer.scopes, older.scopes); !more.empty()) out.breaks(where, "needs scopes: " + more);
    if (const std::string fewer = missing(older.scopes, newer.scopes); !fewer.empty())
        out.adds(where, "needs these scopes no more: " + fewer);
    if (const std::string more = missing(newer.limits, older.limits); !more.empty())
        out.breaks(where, "counts against more limits: " + more);
    // None are named: pages of every origin may read it.
    const std::string gone = missing(older.cors_origins, newer.cors_origins);
    if (older.cors_origins.empty() && !newer.cors_origins.empty())
        out.breaks(where, "pages of other origins may not read it now");
    if (!newer.cors_origins.empty() && !gone.empty()) out.breaks(where, "pages of these origins may not read it now: " + gone);
}

struct Limit {
    std::string_view name;
    std::uint64_t ResolvedPolicies::*field;
    bool zero_is_none;  // else zero allows none
};
constexpr std::array limits{
    Limit{"page_size_max", &ResolvedPolicies::page_size_max, true},
    Limit{"body_bytes_max", &ResolvedPolicies::body_bytes_max, false},
    Limit{"filters_max", &ResolvedPolicies::filters_max, false},
    Limit{"embeds_max", &ResolvedPolicies::embeds_max, false},
    Limit{"select_depth_max", &ResolvedPolicies::select_depth_max, false},
    Limit{"answer_bytes_max", &ResolvedPolicies::answer_bytes_max, true},
    Limit{"cost_max", &ResolvedPolicies::cost_max, true},
    Limit{"timeout_ms", &ResolvedPolicies::timeout_ms, true},
    Limit{"rows_per_cost", &ResolvedPolicies::rows_per_cost, true},
};

void compare_limits(const std::string& where, const ResolvedPolicies& older, const ResolvedPolicies& newer, Findings& out) {
    for (const Limit& limit : limits) {
        // Less one, "no limit" is the largest number.
        const std::uint64_t step = limit.zero_is_none ? 1 : 0;
        const std::uint64_t was = older.*limit.field, is = newer.*limit.field;
        if (was == is) continue;
        const auto said = [&](std::uint64_t value) { return value < step ? std::string("none") : std::to_string(value); };
        const std::string change = std::string(limit.name) + " is " + said(is) + ", was " + said(was);
        if (is - step < was - step)
            out.breaks(where, change);
        else
            out.adds(where, change);
    }
    if (newer.cost > older.cost)
        out.breaks(where, "cost is " + std::to_string(newer.cost) + ", was " + std::to_string(older.cost));
}

using List = std::optional<std::vector<std::string>>;

void compare_list(const std::string& where, const std::string& kind, const List& older, const List& newer, Findings& out) {
    if (!newer || older == newer) return;
    if (!older) return out.breaks(where, "filters are limited to these " + kind + ": " + missing(*newer, {}));
    if (const std::string gone = missing(*older, *newer); !gone.empty())
        out.breaks(where, "no more filters by these " + kind + ": " + gone);
}

void compare_idempotency(const std::string& where, Idempotency older, Idempotency newer, Findings& out) {
    if (older == newer) return;
    if (newer == Idempotency::required) out.breaks(where, "writes need an Idempotency-Key");
    if (newer == Idempotency::off) out.breaks(where, "Idempotency-Key is not obeyed any more");
}

}  // namespace

void compare_methods(const std::string& where, const std::string& older_allow, const std::string& newer_allow, Findings& out) {
    const auto older = words_of(older_allow), newer = words_of(newer_allow);
    if (const std::string gone = missing(older, newer); !gone.empty()) out.breaks(where, "methods are gone: " + gone);
    if (const std::string more = missing(newer, older); !more.empty()) out.adds(where, "new methods: " + more);
}

void compare_policies(const std::string& where, const ResolvedPolicies& older, const ResolvedPolicies& newer, Findings& out) {
    compare_access(where, older, newer, out);
    compare_limits(where, older, newer, out);
    compare_list(where, "columns", older.filter_columns, newer.filter_columns, out);
    compare_list(where, "operators", older.filter_operators, newer.filter_operators, out);
    compare_idempotency(where, older.idempotency, newer.idempotency, out);
}

}  // namespace millrace::versions

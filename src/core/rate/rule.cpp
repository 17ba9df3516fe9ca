// Reads rules as they are written in settings and route tables, and says whose tokens a request takes.
#include <array>
#include <charconv>

#include "millrace/core/rate.hpp"

namespace millrace::rate {
namespace {

constexpr std::array units = {"second", "minute", "hour", "day", "month"};
constexpr std::array<std::int64_t, 5> seconds = {1, 60, 3600, 86'400, 30 * 86'400};
constexpr std::array bys = {"all", "ip", "key", "role", "claim"};

Error wrong(std::string_view text, const std::string& what) {
    return Error::of(Fault::internal, "\"" + std::string(text) + "\": " + what +
                                          "; a rule is like 100/second burst 200 by ip, or 10000/day by claim .tenant");
}

template <class Names>
std::optional<std::size_t> position(const Names& names, std::string_view word) {
    const auto found = std::ranges::find(names, word);
    return found == names.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - names.begin()));
}

std::optional<std::uint64_t> number(std::string_view word) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    const bool good = error == std::errc{} && end == word.data() + word.size() && value > 0 && value <= count_max;
    return good ? std::optional(value) : std::nullopt;
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words = text::split(text, ' ');
    std::erase_if(words, [](std::string_view word) { return word.empty(); });
    return words;
}

// 2001:db8:1:2::/64: a household has as many addresses as it likes.
std::string_view network_of(std::string_view address) {
    std::size_t end = 0;
    for (std::size_t groups = 0; groups < 4; ++groups) {
        const std::size_t colon = address.find(':', end);
        if (colon == std::string_view::npos) return address;  // of IPv4
        if (colon == end && groups > 0) break;                // "::": the rest of the first half is zeros
        end = colon + 1;
    }
    return address.substr(0, end);
}

}  // namespace

std::int64_t Rule::interval_us() const {
    if (quota()) return 0;
    const std::int64_t period_us = seconds[static_cast<std::size_t>(unit)] * 1'000'000;
    const auto tokens = static_cast<std::int64_t>(count);
    return std::max<std::int64_t>((period_us + tokens - 1) / tokens, 1);  // rounded up: never more than was promised
}

std::int64_t Rule::window_s() const { return seconds[static_cast<std::size_t>(unit)]; }

Result<Rule> parse_rule(std::string_view text) {
    const auto words = words_of(text);
    const std::string_view first = words.empty() ? std::string_view() : words.front();
    const std::size_t slash = std::min(first.find('/'), first.size());
    const auto count = number(first.substr(0, slash));
    const auto unit = position(units, first.substr(std::min(slash + 1, first.size())));
    if (!count || !unit) return wrong(text, "it begins with a number, '/' and second, minute, hour, day or month");
    Rule rule;
    rule.count = rule.burst = *count;
    rule.unit = static_cast<Unit>(*unit);
    rule.text = text;
    std::size_t at = 1;
    if (at < words.size() && words[at] == "burst") {
        const auto burst = at + 1 < words.size() ? number(words[at + 1]) : std::nullopt;
        if (!burst || rule.quota()) return wrong(text, "burst is a number, of a rule up to the hour");
        rule.burst = *burst;
        at += 2;
    }
    if (at == words.size()) return rule;
    const auto by = at + 1 < words.size() && words[at] == "by" ? position(bys, words[at + 1]) : std::nullopt;
    if (!by) return wrong(text, "by is followed by all, ip, key, role or claim");
    rule.by = static_cast<By>(*by);
    at += 2;
    if (rule.by == By::claim && at < words.size()) rule.claim = words[at++];
    if (at != words.size() || (rule.by == By::claim && !auth::valid_claim(rule.claim)))
        return wrong(text,
                     rule.by == By::claim ? "claim is followed by its name or path" : "there is more than belongs to a rule");
    return rule;
}

Result<PlanRule> parse_plan_rule(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string_view plan = text::trim(text.substr(0, std::min(colon, text.size())));
    if (colon == std::string_view::npos || plan.empty()) return wrong(text, "it begins with a plan's name and ':'");
    auto rule = parse_rule(text.substr(colon + 1));
    if (!rule) return std::move(rule).error();
    return PlanRule{std::string(plan), *std::move(rule)};
}

void append_subject(std::string& out, const Rule& rule, const auth::Identity& identity, std::string_view peer) {
    switch (rule.by) {
        case By::all:
            return;
        case By::ip:
            out += network_of(peer);
            return;
        case By::key:
            if (identity.subject.empty())
                out.append("ip ").append(network_of(peer));
            else
                out.append("sub ").append(identity.subject);
            return;
        case By::role:
            out += identity.role;
            return;
        case By::claim:
            out += auth::claim_values(identity.claims_json, {rule.claim});
            return;
    }
}

}  // namespace millrace::rate

// How much each caller may ask for: rules, and what one process knows of the tokens that all replicas share. Pure: Redis, where
// the tokens are, is asked elsewhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "millrace/core/auth.hpp"
#include "millrace/core/base.hpp"
#include "millrace/core/text.hpp"

namespace millrace::rate {

enum class Unit : std::uint8_t { second, minute, hour, day, month };
// Whose tokens they are: everybody's, those of an address, of a key or token (else of the address), of a role, of a claim.
enum class By : std::uint8_t { all, ip, key, role, claim };

// "100/second burst 200 by ip", "10000/day by key", "60/minute by claim .tenant". Up to the hour tokens come back one by one
// (GCRA); of a day and a month, in UTC, they come back all at once: those are quotas.
struct Rule {
    std::uint64_t count = 0;
    Unit unit = Unit::second;
    std::uint64_t burst = 0;  // tokens that may be taken at once; of a quota the count
    By by = By::key;
    std::string claim;
    std::string text;  // as it was written

    [[nodiscard]] bool quota() const { return unit == Unit::day || unit == Unit::month; }
    [[nodiscard]] std::int64_t interval_us() const;  // in which one token comes back; of a quota 0
    [[nodiscard]] std::int64_t window_s() const;     // for RateLimit-Policy; a month has 30 days there
};
inline constexpr std::uint64_t count_max = 1'000'000'000;
// What is wrong is the error's message.
[[nodiscard]] Result<Rule> parse_rule(std::string_view text);
// "free: 60/minute by key"
struct PlanRule {
    std::string plan;
    Rule rule;
};
[[nodiscard]] Result<PlanRule> parse_plan_rule(std::string_view text);

// Who it is by that rule; an IPv6 address stands for its /64.
void append_subject(std::string& out, const Rule& rule, const auth::Identity& identity, std::string_view peer);

// What Redis said of one rule and subject.
struct Granted {
    std::uint64_t tokens = 0;     // that are the asker's now
    std::uint64_t remaining = 0;  // that were left then
    Duration retry_after{};       // when none was: until there is one
};

// Tokens that this process holds of one rule and subject.
//
// They were taken from what all replicas share, so that no more are used than there are: those that are not used before the
// lease ends are lost. Hence in any span of T at most burst + rate × (T + lease_life) requests pass, however many replicas
// there are, and of a quota never more than it has; and at most `most` tokens of each worker of each replica are missing to
// others.
inline constexpr Duration lease_life = std::chrono::milliseconds(500);
inline constexpr Duration refusal_min =
    std::chrono::milliseconds(25);  // nobody asks again sooner, however soon there is a token
class Lease {
public:
    enum class Answer : std::uint8_t { pass, refuse, ask };
    // Are there `cost` tokens for a request? ask: Redis must be asked, for wanted() tokens.
    [[nodiscard]] Answer look(std::uint64_t cost, TimePoint now) const;
    void take(std::uint64_t cost, TimePoint now);  // after look() has said pass
    // As many as were used of the last one, and what is needed now: who asks seldom holds nothing back from others.
    [[nodiscard]] std::uint64_t wanted(std::uint64_t cost, std::uint64_t most) const;
    [[nodiscard]] std::uint64_t needed(std::uint64_t cost) const { return cost + owed_; }
    // More than half of it is used: the next should be there before it is used up.
    [[nodiscard]] bool runs_low() const { return granted_ > 1 && held() * 2 < granted_; }
    void grant(const Granted& granted, TimePoint asked);
    void charge(std::uint64_t cost);                                              // afterwards: it is owed
    void miss(std::uint64_t cost) { used_ = std::min(used_ + cost, count_max); }  // refused: more is wanted than there is

    [[nodiscard]] std::uint64_t remaining() const { return held() + remaining_; }
    [[nodiscard]] Duration retry_after(TimePoint now) const { return std::max(refused_until_ - now, Duration::zero()); }
    bool asking = false;  // Redis is being asked in the background

private:
    struct Held {
        std::uint64_t tokens = 0;
        TimePoint ends{};
        [[nodiscard]] std::uint64_t at(TimePoint now) const { return now < ends ? tokens : 0; }
    };
    [[nodiscard]] std::uint64_t held() const { return older_.tokens + newer_.tokens; }

    Held older_, newer_;  // the older ones are used first, and end first
    std::uint64_t granted_ = 0, used_ = 0, owed_ = 0, remaining_ = 0;
    TimePoint refused_until_{};
};

// The leases of one worker, by rule and subject. Bounded: the least recently used is forgotten first. A reference is good until
// as many others were asked for as are held.
class Leases {
public:
    explicit Leases(std::size_t most) : most_(std::max<std::size_t>(most, 1)) {}
    [[nodiscard]] Lease& at(std::string_view key);
    void hold_at_least(std::size_t count) { most_ = std::max(most_, count); }
    [[nodiscard]] std::size_t size() const { return slots_.size(); }

private:
    struct Slot {
        std::string key;
        Lease lease;
    };
    std::size_t most_;
    std::list<Slot> slots_;  // most recently used first
    std::unordered_map<std::string_view, std::list<Slot>::iterator, text::Hash> by_key_;
};

// What the script does, for one process alone: where there is no Redis, or none that answers. Bounded as Leases are.
class Tokens {
public:
    explicit Tokens(std::size_t most) : most_(std::max<std::size_t>(most, 1)) {}
    [[nodiscard]] Granted take(const Rule& rule, const std::string& key, std::uint64_t wanted, std::uint64_t least,
                               WallTime now);

private:
    struct State {
        std::int64_t arrival_us = 0;  // of GCRA; of a quota when its window ends
        std::uint64_t used = 0;
    };
    std::size_t most_;
    std::unordered_map<std::string, State> states_;
};

// RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10), as members of their lists: the rule's name, then
// what is said of it.
[[nodiscard]] std::string item_of(const Rule& rule);
[[nodiscard]] std::string policy_item(const Rule& rule);
void append_state(std::string& out, std::string_view item, std::uint64_t remaining, Duration reset);

// What the script in Redis is given and says; the script itself, for KEYS[1] = the key of rule and subject.
// ARGV: tokens wanted, how many of them at least, interval in µs, burst, "", "day" or "month". It returns tokens granted,
// tokens left, and µs until the least can be had. Redis' clock is the one that counts.
[[nodiscard]] std::string_view script();
[[nodiscard]] std::vector<std::string> script_arguments(const Rule& rule, std::uint64_t wanted, std::uint64_t least);

}  // namespace millrace::rate

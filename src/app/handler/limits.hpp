// How much a caller may ask for: the rules of the process, of his plan and of the route, each with tokens that all replicas
// share.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"
#include "millrace/core/rate.hpp"
#include "millrace/core/routes.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/redis.hpp"

namespace millrace::app {

// One per worker, on its thread. Without Redis, or while it does not answer, each worker counts for itself.
class Limits {
public:
    struct Parts {
        redis::Link* link;  // nothing: there is no Redis
        net::TaskGroup& background;
        events::Observer& observer;
    };
    Limits(const config::Settings& settings, const Parts& parts);
    void adopt(const config::Settings& settings);  // other routes and rules

    // One request; what it views must live until take() or ask() has returned.
    struct Request {
        const routes::ResolvedPolicies& policies;
        std::string_view version, route;
        const auth::Identity& identity;
        std::string_view peer;
        TimePoint now;
    };
    enum class Answer : std::uint8_t { pass, refuse, ask };
    // pass: its tokens are taken. ask: ask() and try again.
    [[nodiscard]] Answer take(const Request& request);
    [[nodiscard]] boost::asio::awaitable<void> ask(const Request& request, Deadline deadline);
    // For rows that the answer had, where the route charges for them.
    void charge(const Request& request, std::uint64_t rows);

    // Of the last take(), before anything else is asked: 429 with Retry-After; RateLimit-Policy and RateLimit of the answer.
    [[nodiscard]] Error refusal();
    void append_fields(message::HeaderBlock& headers);

private:
    struct Limit {
        rate::Rule rule;
        // What the keys of its leases begin with: whose rule it is (the process's, a route's, a plan's), and the rule.
        std::string key_begin;
        std::string item;  // its name in the fields
    };
    struct RouteLimits {
        std::vector<Limit> limits;
        message::HeaderBlock policy;  // the field RateLimit-Policy
    };
    using Plans = std::unordered_map<std::string, std::vector<rate::Rule>, text::Hash>;
    using PlanPointer = const Plans::value_type*;
    struct Place {
        const routes::ResolvedPolicies* route;
        PlanPointer plan;  // nothing: none that has rules
        bool operator==(const Place&) const = default;
    };
    struct HashOfPlace {
        [[nodiscard]] std::size_t operator()(const Place& place) const {
            return std::hash<const void*>()(place.route) * 31 + std::hash<const void*>()(place.plan);
        }
    };
    [[nodiscard]] static Limit limit_of(rate::Rule rule, std::string_view scope);
    [[nodiscard]] PlanPointer plan_of(const auth::Identity& identity) const;
    [[nodiscard]] const RouteLimits& limits_of(const Request& request);
    void find(const Request& request);
    void refill(std::size_t index, rate::Lease& lease, std::uint64_t cost);
    [[nodiscard]] boost::asio::awaitable<void> refill_later(Limit limit, std::string key, std::uint64_t cost);
    [[nodiscard]] boost::asio::awaitable<rate::Granted> granted(const Limit& limit, const std::string& key,
                                                                std::uint64_t wanted, std::uint64_t least, Deadline deadline);

    redis::Link* link_;
    net::TaskGroup& background_;
    events::Observer& observer_;
    std::string prefix_;
    Duration budget_;
    std::uint64_t lease_max_;
    rate::Leases leases_;
    rate::Tokens own_;
    std::vector<Limit> for_all_;
    Plans plans_;
    // Of this snapshot's routes, and of those that requests underway still have of an older one. Where an address is used
    // again, a snapshot was adopted since, and this was cleared then.
    std::unordered_map<Place, RouteLimits, HashOfPlace> routes_;

    // Of the request at hand; members for their memory's sake.
    const RouteLimits* found_ = nullptr;
    std::vector<std::string> keys_;
    std::vector<rate::Lease*> leases_found_;  // by take()
    std::string state_;
    std::size_t tightest_ = 0;  // the limit that refused, or that has the least left
    TimePoint now_;
};

}  // namespace millrace::app

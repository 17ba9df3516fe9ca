// Takes the tokens of a request, and gets more of them from Redis.
#include "limits.hpp"

#include <array>
#include <chrono>

#include "millrace/core/text.hpp"

namespace millrace::app {
namespace {

using rate::Lease;

const redis::Script& take_script() {
    static const redis::Script script{std::string(rate::script())};
    return script;
}

std::optional<rate::Granted> read(const redis::Value& value) {
    if (value.kind != redis::ValueKind::array || value.items.size() != 3) return std::nullopt;
    for (const redis::Value& item : value.items)
        if (item.kind != redis::ValueKind::integer || item.integer < 0) return std::nullopt;
    return rate::Granted{static_cast<std::uint64_t>(value.items[0].integer), static_cast<std::uint64_t>(value.items[1].integer),
                         std::chrono::microseconds(value.items[2].integer)};
}

std::string seconds_up(Duration duration) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
    return std::to_string(std::max<std::int64_t>(seconds, 1));
}

// Whatever callers write into their claims, a key has one length, and stands in one slot of a cluster.
std::string redis_key(const std::string& prefix, const std::string& key) {
    std::string name = prefix + ":rate:{";
    const text::Sha256 digest = text::sha256(key);
    text::append_hex(name, std::span(digest).first(16));
    return name += '}';
}

}  // namespace

Limits::Limits(const config::Settings& settings, const Parts& parts)
    : link_(parts.link),
      background_(parts.background),
      observer_(parts.observer),
      prefix_(settings.redis.key_prefix),
      budget_(std::chrono::milliseconds(settings.redis.budget_ms)),
      lease_max_(settings.limits.lease_tokens_max),
      leases_(settings.limits.rate_keys_max),
      own_(settings.limits.rate_keys_max) {
    adopt(settings);
}

// They were read as rules when the files were.
void Limits::adopt(const config::Settings& settings) {
    for_all_.clear();
    plans_.clear();
    routes_.clear();
    for (const std::string& text : settings.limits.rules)
        if (auto rule = rate::parse_rule(text)) for_all_.push_back(limit_of(*std::move(rule), {}));
    for (const std::string& text : settings.limits.plans)
        if (auto made = rate::parse_plan_rule(text)) plans_[made->plan].push_back(std::move(made->rule));
}

Limits::Limit Limits::limit_of(rate::Rule rule, std::string_view scope) {
    Limit limit{std::move(rule), std::string(scope), {}};
    limit.key_begin.append("\n").append(limit.rule.text).append("\n");
    limit.item = rate::item_of(limit.rule);
    return limit;
}

Limits::PlanPointer Limits::plan_of(const auth::Identity& identity) const {
    if (identity.plan.empty()) return nullptr;
    const auto plan = plans_.find(identity.plan);
    return plan == plans_.end() ? nullptr : &*plan;
}

const Limits::RouteLimits& Limits::limits_of(const Request& request) {
    const PlanPointer plan = plan_of(request.identity);
    const auto [place, is_new] = routes_.try_emplace(Place{&request.policies, plan});
    RouteLimits& out = place->second;
    if (!is_new) return out;
    out.limits = for_all_;
    if (plan != nullptr)
        for (const rate::Rule& rule : plan->second) out.limits.push_back(limit_of(rule, "plan " + plan->first));
    const std::string scope = "route " + std::string(request.version) + "/" + std::string(request.route);
    for (const std::string& text : request.policies.limits)
        if (auto rule = rate::parse_rule(text)) out.limits.push_back(limit_of(*std::move(rule), scope));
    std::string policy;
    for (const Limit& limit : out.limits) (policy += policy.empty() ? "" : ", ") += rate::policy_item(limit.rule);
    if (!policy.empty()) out.policy.add("RateLimit-Policy", policy);
    leases_.hold_at_least(out.limits.size());
    return out;
}

// Which limits there are for the request, and the keys of its leases.
void Limits::find(const Request& request) {
    found_ = nullptr;
    if (for_all_.empty() && request.policies.limits.empty() && (plans_.empty() || request.identity.plan.empty())) return;
    found_ = &limits_of(request);
    now_ = request.now;
    keys_.resize(found_->limits.size());
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        const Limit& limit = found_->limits[i];
        keys_[i].assign(limit.key_begin);
        rate::append_subject(keys_[i], limit.rule, request.identity, request.peer);
    }
}

// All of them, or none: a request that one rule refuses costs nothing by the others.
Limits::Answer Limits::take(const Request& request) {
    find(request);
    if (request.policies.cost == 0) found_ = nullptr;
    if (found_ == nullptr || found_->limits.empty()) return Answer::pass;
    const std::uint64_t cost = request.policies.cost;
    leases_found_.clear();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        Lease& lease = leases_.at(keys_[i]);
        leases_found_.push_back(&lease);
        if (lease.look(cost, request.now) == Lease::Answer::ask && link_ == nullptr) refill(i, lease, cost);
        tightest_ = i;
        const Lease::Answer answer = lease.look(cost, request.now);
        if (answer == Lease::Answer::refuse) return lease.miss(cost), Answer::refuse;
        if (answer == Lease::Answer::ask) return Answer::ask;
    }
    std::uint64_t least = UINT64_MAX;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        Lease& lease = *leases_found_[i];
        lease.take(cost, request.now);
        if (lease.remaining() < std::exchange(least, std::min(least, lease.remaining()))) tightest_ = i;
        if (link_ == nullptr || !lease.runs_low() || lease.asking) continue;
        lease.asking = true;
        background_.spawn("limits", refill_later(found_->limits[i], keys_[i], cost));
    }
    return Answer::pass;
}

// Without Redis.
void Limits::refill(std::size_t index, Lease& lease, std::uint64_t cost) {
    const std::uint64_t needed = lease.needed(cost);
    lease.grant(own_.take(found_->limits[index].rule, keys_[index], needed, needed, net::wall_now()), now_);
}

boost::asio::awaitable<void> Limits::ask(const Request& request, Deadline deadline) {
    find(request);
    if (found_ == nullptr) co_return;
    const std::vector<Limit> limits = found_->limits;  // others ask meanwhile
    const std::vector<std::string> keys = keys_;
    const std::uint64_t cost = request.policies.cost;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const TimePoint asked = net::now();
        const Lease& lease = leases_.at(keys[i]);
        if (lease.look(cost, asked) != Lease::Answer::ask) continue;
        const std::uint64_t least = lease.needed(cost), wanted = lease.wanted(cost, lease_max_);
        const auto got = co_await granted(limits[i], keys[i], wanted, least, deadline);
        leases_.at(keys[i]).grant(got, asked);
    }
}

// Before a busy caller's lease is used up, so that he does not wait.
boost::asio::awaitable<void> Limits::refill_later(Limit limit, std::string key, std::uint64_t cost) {
    const TimePoint asked = net::now();
    const Lease& lease = leases_.at(key);
    const std::uint64_t least = lease.needed(cost), wanted = lease.wanted(cost, lease_max_);
    const Deadline deadline{asked + std::chrono::seconds(1)};
    const auto got = co_await granted(limit, key, wanted, least, deadline);
    Lease& then = leases_.at(key);
    then.asking = false;
    if (got.tokens > 0) then.grant(got, asked);  // what is left of the old one is still good when there is nothing more
}

boost::asio::awaitable<rate::Granted> Limits::granted(const Limit& limit, const std::string& key, std::uint64_t wanted,
                                                      std::uint64_t least, Deadline deadline) {
    if (link_ != nullptr && link_->up()) {
        const std::string name = redis_key(prefix_, key);
        const std::vector<std::string> words = rate::script_arguments(limit.rule, wanted, least);
        const std::vector<std::string_view> arguments(words.begin(), words.end());
        const std::array<std::string_view, 1> keys = {name};
        const Deadline patience{std::min(deadline.at, net::now() + budget_)};
        auto said = co_await link_->command(take_script(), keys, arguments, patience);
        const auto got = said ? read(*said) : std::nullopt;
        observer_.on(events::LimitAsked{got.has_value()});
        if (got) co_return *got;
    }
    co_return own_.take(limit.rule, key, least, least, net::wall_now());
}

void Limits::charge(const Request& request, std::uint64_t rows) {
    const std::uint64_t per_token = request.policies.rows_per_cost;
    if (per_token == 0 || rows < per_token) return;
    find(request);
    if (found_ == nullptr) return;
    for (const std::string& key : keys_) leases_.at(key).charge(rows / per_token);
}

Error Limits::refusal() {
    const Limit& limit = found_->limits[tightest_];
    Error error = Error::of(limit.rule.quota() ? Fault::quota_exceeded : Fault::rate_limited);
    error.details = "The limit is " + limit.rule.text;
    return std::move(error).with_header("Retry-After", seconds_up(leases_found_[tightest_]->retry_after(now_)));
}

void Limits::append_fields(message::HeaderBlock& headers) {
    if (found_ == nullptr || found_->limits.empty()) return;
    const Lease& lease = *leases_found_[tightest_];
    headers.append(found_->policy);
    state_.clear();
    rate::append_state(state_, found_->limits[tightest_].item, lease.remaining(), lease.retry_after(now_));
    headers.add("RateLimit", state_);
}

}  // namespace millrace::app

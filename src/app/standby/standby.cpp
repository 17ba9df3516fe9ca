// Asks one standby or another, and lets an answer count only where the fence holds that standby's snapshot valid: then no tag
// of the answer was invalidated by a transaction that the standby has not replayed yet.
#include "millrace/app/standby.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "millrace/core/reply.hpp"
#include "millrace/io/net.hpp"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;
using events::StandbyResult;

// A standby that was refused is not asked in vain by every request: it may have caught up by then.
constexpr Duration patience = 50ms, patience_with_strangers = 1s;

config::DatabaseSettings settings_of(config::DatabaseSettings settings, std::string url) {
    settings.url = std::move(url);
    return settings;
}

bool holds(const Standby::Read& read, const TieredCache& cache, const fence::PgSnapshot& snapshot) {
    return cache.fenced(net::now()) && cache.fence().valid(snapshot, read.work.standby_tags) &&
           (!read.token || snapshot.sees(*read.token));
}

// Another standby would say the same. Class 40 is told of one that must go on with its replay.
bool is_of_the_statement(const Error& error) { return error.fault == Fault::database_error && !error.code.starts_with("40"); }

asio::awaitable<Result<pg::Opened>> whole(pg::Pool& pool, sql::BoundScript script, const pg::Call& call, pg::Timing& timing) {
    auto results = co_await pool.run(script, call, nullptr, timing);
    if (!results) co_return std::move(results).error();
    pg::Opened opened;
    opened.results = std::move(*results);
    co_return opened;
}

}  // namespace

// Events of a standby's lanes are told apart from those of the primary's. The backend is up while any of them is.
class Standby::Observed final : public events::Observer {
public:
    Observed(events::Observer& observer, std::size_t& up) : observer_(observer), up_(up) {}
    void on(const events::Event& event) override {
        if (std::holds_alternative<events::LaneGauge>(event)) return;
        if (const auto* up = std::get_if<events::BackendUp>(&event)) return count(*up);
        if (const auto* breaker = std::get_if<events::BreakerChanged>(&event))
            return observer_.on(events::BreakerChanged{events::Backend::standby, breaker->open});
        observer_.on(event);
    }

private:
    void count(const events::BackendUp& event) {
        up_ += event.up ? 1 : 0;
        up_ -= std::exchange(is_up_, event.up) ? 1 : 0;
        observer_.on(events::BackendUp{events::Backend::standby, up_ > 0, event.reason});
    }

    events::Observer& observer_;
    std::size_t& up_;
    bool is_up_ = false;
};

struct Standby::One {
    One(asio::io_context& context, std::string url, const config::Settings& settings, events::Observer& observer,
        std::size_t& up)
        : observed(observer, up), pool(context, settings_of(settings.database, std::move(url)), observed, settings.limits) {}

    [[nodiscard]] bool worth_asking(const Read& read, const TieredCache& cache) const {
        return net::now() >= refused_until || holds(read, cache, seen);
    }
    [[nodiscard]] StandbyResult judge(const Read& read, const TieredCache& cache, const Result<pg::Opened>& opened);

    Observed observed;
    pg::Pool pool;
    std::size_t underway = 0;
    fence::PgSnapshot seen;     // the newest that it answered with
    TimePoint refused_until{};  // until then it is asked only for what it is known to have seen
};

namespace {

// However the wait ends.
class Counted {
public:
    explicit Counted(std::size_t& count) : count_(++count) {}
    ~Counted() { --count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

private:
    std::size_t& count_;
};

}  // namespace

Standby::Standby(asio::io_context& context, const config::Settings& settings, events::Observer& observer)
    : observer_(observer) {
    if (settings.database.standby_url.empty()) return;
    for (std::string& url : pg::each_host(settings.database.standby_url))
        all_.push_back(std::make_unique<One>(context, std::move(url), settings, observer, up_));
}

Standby::~Standby() = default;

void Standby::start() {
    for (const auto& one : all_) one->pool.start();
}

asio::awaitable<void> Standby::stop() {
    for (const auto& one : all_) co_await one->pool.stop();
}

void Standby::catch_up() {
    for (const auto& one : all_) one->pool.catch_up();
}

asio::awaitable<std::optional<pg::Opened>> Standby::ask(const Read& read, const TieredCache& cache, pg::Timing& timing) {
    if (all_.empty() || !cache.fenced(net::now())) co_return std::nullopt;
    const std::vector<One*> chosen = choose(read, cache);
    for (One* const one : chosen) {
        auto answer = co_await ask(*one, read, cache, timing);
        if (answer) co_return *std::move(answer);
        if (is_of_the_statement(answer.error())) break;
    }
    co_return std::nullopt;
}

// Those that are well and not known to be behind, the least busy first; among equals each comes first in its turn.
std::vector<Standby::One*> Standby::choose(const Read& read, const TieredCache& cache) {
    std::vector<One*> chosen;
    bool any_up = false;
    ++turn_;
    for (std::size_t i = 0; i < all_.size(); ++i) {
        One& one = *all_[(turn_ + i) % all_.size()];
        if (!one.pool.available() || one.pool.left_alone()) continue;
        any_up = true;
        if (one.worth_asking(read, cache)) chosen.push_back(&one);
    }
    if (chosen.empty()) observer_.on(events::StandbyRead{any_up ? StandbyResult::behind : StandbyResult::down});
    std::ranges::stable_sort(chosen, {}, [](const One* one) { return one->underway; });
    return chosen;
}

asio::awaitable<Result<pg::Opened>> Standby::ask(One& one, const Read& read, const TieredCache& cache, pg::Timing& timing) {
    const Counted counted(one.underway);
    const TimePoint now = net::now();
    pg::Call call = read.call;
    call.deadline.at = now + (read.call.deadline.at - now) / 2;
    const sql::BoundScript script(read.work.on_standby->script, read.values);
    auto opening =
        read.work.streams ? one.pool.open(script, call, read.kept_bytes_max, timing) : whole(one.pool, script, call, timing);
    auto opened = co_await std::move(opening);
    const StandbyResult result = one.judge(read, cache, opened);
    observer_.on(events::StandbyRead{result});
    if (!opened) co_return std::move(opened).error();
    if (result != StandbyResult::used) co_return Error::of(Fault::database_unavailable);
    if (opened->rest) opened->rest->extend(read.call.deadline);
    co_return std::move(*opened);
}

StandbyResult Standby::One::judge(const Read& read, const TieredCache& cache, const Result<pg::Opened>& opened) {
    if (!opened) return StandbyResult::failed;
    const auto state = pipeline::standby_state(read.work.on_standby->script, opened->results);
    const bool ours = state && cache.is_epoch(state->system_identifier, state->timeline);
    seen = ours ? state->snapshot : fence::PgSnapshot{};
    if (ours && holds(read, cache, seen)) return StandbyResult::used;
    refused_until = net::now() + (ours ? patience : patience_with_strangers);
    return ours ? StandbyResult::behind : StandbyResult::foreign;
}

}  // namespace millrace::app

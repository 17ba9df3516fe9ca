// Asks a standby, and lets its answer count only where the fence holds the standby's snapshot valid: then no tag of the answer
// was invalidated by a transaction that the standby has not replayed yet.
#include "millrace/app/standby.hpp"

#include <chrono>
#include <variant>

#include "millrace/core/reply.hpp"
#include "millrace/io/net.hpp"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;
using events::StandbyResult;

// A standby that was refused is not asked in vain by every request: it may have caught up by then.
constexpr Duration patience = 50ms, patience_with_strangers = 1s;

config::DatabaseSettings settings_of(config::DatabaseSettings settings) {
    settings.url = settings.standby_url;
    return settings;
}

bool holds(const Standby::Read& read, const TieredCache& cache, const fence::PgSnapshot& snapshot) {
    return cache.fenced(net::now()) && cache.fence().valid(snapshot, read.work.standby_tags) &&
           (!read.token || snapshot.sees(*read.token));
}

}  // namespace

// Events of the standby's lanes are told apart from those of the primary's.
class Standby::Observed final : public events::Observer {
public:
    explicit Observed(events::Observer& observer) : observer_(observer) {}
    void on(const events::Event& event) override {
        if (std::holds_alternative<events::LaneGauge>(event)) return;
        const auto* up = std::get_if<events::BackendUp>(&event);
        if (up == nullptr) return observer_.on(event);
        observer_.on(events::BackendUp{events::Backend::standby, up->up, up->reason});
    }

private:
    events::Observer& observer_;
};

Standby::Standby(asio::io_context& context, const config::Settings& settings, events::Observer& observer)
    : observer_(observer) {
    if (settings.database.standby_url.empty()) return;
    observed_ = std::make_unique<Observed>(observer);
    pool_ = std::make_unique<pg::Pool>(context, settings_of(settings.database), *observed_, settings.limits);
}

Standby::~Standby() = default;

void Standby::start() {
    if (pool_) pool_->start();
}

asio::awaitable<void> Standby::stop() {
    if (pool_) co_await pool_->stop();
}

asio::awaitable<std::optional<pg::Opened>> Standby::ask(const Read& read, const TieredCache& cache, pg::Timing& timing) {
    if (!pool_ || !cache.fenced(net::now())) co_return std::nullopt;
    if (!pool_->available()) {
        observer_.on(events::StandbyRead{StandbyResult::down});
        co_return std::nullopt;
    }
    if (!worth_asking(read, cache)) {
        observer_.on(events::StandbyRead{StandbyResult::behind});
        co_return std::nullopt;
    }
    const TimePoint now = net::now();
    pg::Call call = read.call;
    call.deadline.at = now + (read.call.deadline.at - now) / 2;
    const sql::BoundScript script(read.work.on_standby->script, read.values);
    auto opening = read.work.streams ? pool_->open(script, call, read.kept_bytes_max, timing) : whole(script, call, timing);
    auto opened = co_await std::move(opening);
    const StandbyResult result = judge(read, cache, opened);
    observer_.on(events::StandbyRead{result});
    if (result != StandbyResult::used) co_return std::nullopt;
    if (opened->rest) opened->rest->extend(read.call.deadline);
    co_return std::move(*opened);
}

asio::awaitable<Result<pg::Opened>> Standby::whole(sql::BoundScript script, const pg::Call& call, pg::Timing& timing) {
    auto results = co_await pool_->run(script, call, nullptr, timing);
    if (!results) co_return std::move(results).error();
    pg::Opened opened;
    opened.results = std::move(*results);
    co_return opened;
}

bool Standby::worth_asking(const Read& read, const TieredCache& cache) const {
    return net::now() >= refused_until_ || holds(read, cache, seen_);
}

events::StandbyResult Standby::judge(const Read& read, const TieredCache& cache, const Result<pg::Opened>& opened) {
    if (!opened) return StandbyResult::failed;
    const auto state = pipeline::standby_state(read.work.on_standby->script, opened->results);
    const bool ours = state && cache.is_epoch(state->system_identifier, state->timeline);
    seen_ = ours ? state->snapshot : fence::PgSnapshot{};
    if (ours && holds(read, cache, seen_)) return StandbyResult::used;
    refused_until_ = net::now() + (ours ? patience : patience_with_strangers);
    return ours ? StandbyResult::behind : StandbyResult::foreign;
}

}  // namespace millrace::app

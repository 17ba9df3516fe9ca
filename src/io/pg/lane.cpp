// The life of a lane: connect, set up the session, break, connect again with backoff; cancel what is late.
#include "lane.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "millrace/core/text.hpp"
#include "millrace/io/net.hpp"

namespace millrace::pg {
namespace {

using namespace std::chrono_literals;

constexpr Duration backoff_first = 50ms;
constexpr Duration backoff_most = 2s;
constexpr Duration cancel_grace = 2s;
constexpr Duration silence_grace = 5s;
constexpr Duration stall_after = 20ms;

// The role comes last: it may not be allowed to set what stands before it.
std::string session_setup(const config::DatabaseSettings& settings) {
    std::string sql = "set DateStyle = 'ISO'; set statement_timeout = " + std::to_string(settings.statement_timeout_ms);
    if (!settings.anonymous_role.empty()) sql += "; set role " + text::quote_identifier(settings.anonymous_role);
    return sql;
}

}  // namespace

Lane::Lane(asio::io_context& context, LaneSettings settings, LaneOwner& owner)
    : context_(context),
      settings_(std::move(settings)),
      owner_(&owner),
      connection_(context),
      hurried_(context),
      backoff_(backoff_first, backoff_most),
      statements_(settings_.database.statements_max) {}

void Lane::start() { owner_->spawn(connect(Duration::zero())); }

asio::awaitable<void> Lane::connect(Duration pause) {
    const auto self = shared_from_this();
    const auto timeout = std::chrono::milliseconds(settings_.database.connect_timeout_ms);
    const auto setup = session_setup(settings_.database);
    while (!closed_) {
        if (pause > Duration::zero()) co_await rest(pause);
        const auto opened = co_await connection_.open(settings_.database.url, setup, timeout);
        if (closed_) co_return;
        if (opened && PQenterPipelineMode(connection_.get()) == 1) co_return become_connected();
        const std::string reason = opened ? connection_.error() : opened.error().details.value_or("");
        connection_.close();
        owner_->connect_failed(*this, reason);
        pause = backoff_.next(owner_->random());
    }
}

asio::awaitable<void> Lane::rest(Duration pause) {
    const Deadline end{net::now() + pause};
    (void)co_await hurried_.wait(end);
}

void Lane::become_connected() {
    backoff_.reset();
    connected_ = true;
    arm_read();
    owner_->connected(*this);
}

void Lane::break_up(const std::string& reason) {
    auto unanswered = reset();
    owner_->spawn(connect(backoff_.next(owner_->random())));
    owner_->broke(*this, reason, std::move(unanswered));
}

std::vector<RequestPointer> Lane::close() {
    closed_ = true;
    return reset();
}

// Forgets everything about the connection; gives back the requests that it carried, in their order.
std::vector<RequestPointer> Lane::reset() {
    ++generation_;
    connected_ = writing_ = stalled_ = gathering_ = cancelling_ = held_ = waits_ = retiring_ = false;
    reads_of_one_ = 0;
    connection_.close();
    statements_.clear();
    to_deallocate_.clear();
    in_flight_ = 0;
    std::vector<RequestPointer> unanswered;
    for (auto& step : std::exchange(steps_, {})) {
        if (!step.owner) continue;
        step.owner->on = nullptr;
        if (!step.owner->answered()) unanswered.push_back(std::move(step.owner));
    }
    return unanswered;
}

// PQcancel blocks, so the pool does it elsewhere. Until it is known that the signal has been sent, and that the server has
// answered what ran, the lane takes nothing new: a late signal would hit a neighbour.
void Lane::cancel() {
    if (!connected_ || cancelling_) return;
    std::shared_ptr<PGcancel> handle(PQgetCancel(connection_.get()), &PQfreeCancel);
    cancelling_ = true;
    cancel_sent_ = false;
    cancel_until_ = net::now() + cancel_grace;
    if (handle) owner_->cancel(std::move(handle), shared_from_this(), generation_);
    resume();  // a backend that waits for its reader does not notice the signal
}

void Lane::cancel_was_sent(std::uint64_t generation) {
    if (closed_ || generation != generation_) return;
    cancel_sent_ = true;
    settle_cancel();
    owner_->turned(*this);
}

void Lane::settle_cancel() {
    if (cancelling_ && cancel_sent_ && in_flight_ == 0) cancelling_ = false;
}

// Later: whoever says so may be in the middle of this lane's results.
void Lane::retire() {
    if (!connected_ || std::exchange(retiring_, true)) return;
    asio::post(context_, [self = shared_from_this(), generation = generation_] {
        if (!self->closed_ && generation == self->generation_) self->leave_if_retired();
    });
}

bool Lane::leave_if_retired() {
    if (!retiring_ || in_flight_ > 0) return false;
    break_up("the server takes no writes");
    return true;
}

void Lane::tick(TimePoint now) {
    if (!connected_) return;
    if (cancelling_ && now > cancel_until_) return break_up("a cancelled statement did not end in time");
    if (in_flight_ == 0) return;
    const auto silence_max = std::chrono::milliseconds(settings_.database.statement_timeout_ms) + silence_grace;
    const bool bounded = settings_.database.statement_timeout_ms > 0;
    if (bounded && !held_ && now - heard_ > silence_max) return break_up("Postgres did not answer in time");
    stalled_ = now - heard_ > stall_after;
    for (const auto& step : steps_) {
        if (step.owner && !step.owner->answered() && step.owner->deadline.passed(now)) owner_->late(*step.owner);
    }
}

}  // namespace millrace::pg

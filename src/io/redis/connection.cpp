// The exchange on an open connection: writes once a turn, matches replies in order, gives up on what comes too late.
#include "connection.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "millrace/io/net.hpp"

namespace millrace::redis {
namespace {

constexpr std::size_t underway_max = 1'000;
constexpr std::size_t outbox_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t scripts_max = 64;
constexpr auto silence_max = std::chrono::seconds(1);  // without the reply that is due; then the server hangs

}  // namespace

Connection::Connection(asio::io_context& context, events::Observer& observer, Ears ears)
    : context_(context), observer_(&observer), ears_(std::move(ears)), wire_(context), timer_(context) {}

// Storing gets half of the room, so that it never keeps a reader from asking.
bool Connection::full(bool awaited) const {
    const std::size_t share = awaited ? 1 : 2;
    return underway_.size() >= underway_max / share || outbox_.size() + writing_.size() >= outbox_bytes_max / share;
}

bool Connection::knows(const std::string& sha1) {
    if (std::ranges::find(scripts_, sha1) != scripts_.end()) return true;
    if (scripts_.size() >= scripts_max) scripts_.clear();
    scripts_.push_back(sha1);
    return false;
}

void Connection::send(std::string_view command, CallPointer call) {
    if (closed()) {
        if (call) answer(*call, redis_down());
        return;
    }
    const TimePoint now = net::now();
    watch(std::min(now + silence_max, call ? call->deadline.at : TimePoint::max()));
    underway_.push_back({std::move(call), now});
    outbox_ += command;
    write_soon();
}

void Connection::write_soon() {
    if (std::exchange(write_pending_, true)) return;
    asio::post(context_, [self = shared_from_this()] { self->write(); });
}

void Connection::write() {
    writing_.clear();
    if (closed() || outbox_.empty()) {
        write_pending_ = false;
        return;
    }
    std::swap(writing_, outbox_);
    auto written = [self = shared_from_this()](boost::system::error_code error, std::size_t) {
        if (error) return self->close(error.message());
        self->write();
    };
    wire_.write(writing_, std::move(written));
}

asio::awaitable<std::string> Connection::receive() {
    const auto self = shared_from_this();
    while (!closed()) {
        const auto [error, count] = co_await wire_.read_some();
        if (closed()) break;
        if (error) {
            close(error.message());
            break;
        }
        std::string problem = "a reply is no Redis protocol, or too large";
        if (wire_.feed(count)) problem = take_replies();
        if (!problem.empty()) close(std::move(problem));
    }
    co_return wire_.reason();
}

// What is wrong with them; nothing when they fit.
std::string Connection::take_replies() {
    const TimePoint now = net::now();
    while (auto value = wire_.next()) {
        if (underway_.empty()) return "a reply came that nobody asked for";
        Underway first = std::move(underway_.front());
        underway_.pop_front();
        settle(std::move(first), *std::move(value), now);
        if (closed()) return "";
    }
    return wire_.broken() ? "a reply is no Redis protocol, or too large" : "";
}

// A call that was answered already came too late: its reply is only counted off.
void Connection::settle(Underway underway, Value value, TimePoint now) {
    const bool failed = value.kind == ValueKind::error;
    if (failed && value.text.starts_with("NOSCRIPT")) scripts_.clear();
    if (failed) ears_.error(value.text);
    if (underway.call && underway.call->answer) return;
    if (observer_ != nullptr) observer_->on(events::RedisCall{!failed, now - underway.sent});
    if (!underway.call) return;
    ears_.answered(true);
    answer(*underway.call, std::move(value));
}

// One timer for all: it stands at the earliest moment, and is moved only for an earlier one.
void Connection::watch(TimePoint at) {
    if (at >= watched_) return;
    watched_ = at;
    timer_.expires_at(at);
    auto looked = [self = weak_from_this()](boost::system::error_code error) {
        const auto live = self.lock();
        if (!error && live && !live->closed()) live->look_at_deadlines();
    };
    timer_.async_wait(std::move(looked));
}

void Connection::look_at_deadlines() {
    watched_ = TimePoint::max();
    if (underway_.empty()) return;
    const TimePoint now = net::now();
    if (now - underway_.front().sent >= silence_max) return close("no reply within a second");
    TimePoint next = underway_.front().sent + silence_max;
    bool late = false;
    for (const Underway& underway : underway_) {
        if (!underway.call || underway.call->answer) continue;
        if (underway.call->deadline.passed(now)) {
            if (observer_ != nullptr) observer_->on(events::RedisCall{false, now - underway.sent});
            answer(*underway.call, Error::of(Fault::deadline_passed, "Redis did not answer in time"));
            late = true;
        } else {
            next = std::min(next, underway.call->deadline.at);
        }
    }
    if (late) ears_.answered(false);  // once: a loop that was busy finds many of them
    watch(next);
}

void Connection::close(std::string reason) {
    if (closed()) return;
    wire_.close(std::move(reason));
    timer_.cancel();
    outbox_.clear();
    for (const Underway& underway : std::exchange(underway_, {}))
        if (underway.call) answer(*underway.call, redis_down());
}

}  // namespace millrace::redis

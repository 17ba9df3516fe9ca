// Hears what Postgres announces: LISTENs, takes a snapshot after every gap, beats to prove that the channel lives.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>
#include <utility>

#include "connection.hpp"
#include "millrace/core/policy.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::pg {
namespace {

using namespace std::chrono_literals;

constexpr Duration connect_timeout = 5s;
constexpr int beats_missed_max = 5;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

// A beat: its snapshot is looked up, the NOTIFY is sent, and it is waited for.
enum class Phase : std::uint8_t { idle, looking, sending, waiting };

struct FreeNotification {
    void operator()(PGnotify* notification) const { PQfreemem(notification); }
};

std::string quoted(std::string_view name) {
    std::string text = "\"";
    for (const char c : name) text.append(c == '"' ? 2 : 1, c);
    return text + '"';
}

std::string listen_sql(const std::vector<std::string>& channels, const std::string& beat) {
    std::string sql = "listen " + quoted(beat);
    for (const auto& channel : channels) sql += "; listen " + quoted(channel);
    return sql;
}

std::string reason_of(const Error& error) { return error.details.value_or(error.message); }

std::string own_beat_channel() {
    std::random_device random;
    return std::string(beat_channel) + '_' + std::to_string(random()) + std::to_string(random());
}

}  // namespace

// What a heartbeat proves. Its snapshot S is taken first, in a transaction of its own; then, in a later one, the beat is
// NOTIFYed. Postgres puts notifications into one queue in the order of commits, and a backend reads that queue in order. A
// transaction that is visible in S had committed before S was taken, so its notifications stand in the queue before the beat.
// When the beat has come back, they have all been delivered: heartbeat(S) may be folded in as a floor.
// After LISTEN the same holds for the gap before it: what listening(S0) does not see commits later, and is delivered.
struct Listener::State : std::enable_shared_from_this<Listener::State> {
    State(asio::io_context& io, std::string where, std::vector<std::string> names, Duration every, Notifications hear)
        : context(io),
          url(std::move(where)),
          channels(std::move(names)),
          beat(every),
          callbacks(std::move(hear)),
          channel(own_beat_channel()),
          connection(io),
          engine(std::random_device{}()) {}

    asio::awaitable<void> live() {
        const auto self = shared_from_this();
        while (!stopped) {
            const auto reason = co_await session();
            connection.close();
            if (stopped) co_return;
            lose(reason);
            const auto pause = backoff.next(std::uniform_real_distribution<double>(0.0, 1.0)(engine));
            co_await net::sleep_for(pause);
        }
    }

    // Ends with the reason why the connection is no good any more.
    asio::awaitable<std::string> session() {
        using namespace asio::experimental::awaitable_operators;
        const auto opened = co_await connection.open(url, listen_sql(channels, channel), connect_timeout);
        if (!opened) co_return reason_of(opened.error());
        auto first = co_await connection.command("select pg_current_snapshot()");
        if (!first) co_return reason_of(first.error());
        backoff.reset();
        phase = Phase::idle;
        listening = true;
        if (!stopped && callbacks.listening) callbacks.listening(*first);
        auto both = hear_on() || beat_on();
        auto ended = co_await std::move(both);
        co_return ended.index() == 0 ? std::get<0>(ended) : std::get<1>(ended);
    }

    asio::awaitable<std::string> hear_on() {
        while (true) {
            deliver();
            if (!take_results()) co_return connection.error();
            const auto [failed] = co_await connection.socket().async_wait(asio::posix::stream_descriptor::wait_read, use_tuple);
            if (failed) co_return failed.message();
            if (PQconsumeInput(connection.get()) == 0) co_return connection.error();
        }
    }

    asio::awaitable<std::string> beat_on() {
        int missed = 0;
        while (true) {
            if (phase == Phase::idle) missed = 0;
            if (phase == Phase::idle && !begin_beat()) co_return connection.error();
            const bool slept = co_await net::sleep_for(beat);
            if (!slept) co_return "stopped";
            if (phase != Phase::idle && ++missed >= beats_missed_max) co_return "the heartbeat did not come back";
        }
    }

    [[nodiscard]] bool begin_beat() {
        started = net::now();
        returned = false;
        return send("select pg_current_snapshot()", Phase::looking);
    }

    [[nodiscard]] bool send(const std::string& sql, Phase next) {
        phase = next;
        return PQsendQuery(connection.get(), sql.c_str()) == 1 && PQflush(connection.get()) >= 0;
    }

    // The answers to the beat's own statements: the snapshot, and then that the NOTIFY has been committed.
    [[nodiscard]] bool take_results() {
        while ((phase == Phase::looking || phase == Phase::sending) && PQisBusy(connection.get()) == 0) {
            const ResultPointer result(PQgetResult(connection.get()));
            if (result ? !take_result(result.get()) : !end_statement()) return false;
        }
        deliver();
        return true;
    }

    [[nodiscard]] bool take_result(const PGresult* result) {
        if (phase == Phase::sending) return PQresultStatus(result) == PGRES_COMMAND_OK;
        if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) return false;
        snapshot = PQgetvalue(result, 0, 0);
        return true;
    }

    [[nodiscard]] bool end_statement() {
        if (phase == Phase::looking) {
            return send("notify " + quoted(channel) + ", '" + std::to_string(++sequence) + "'", Phase::sending);
        }
        phase = returned ? Phase::idle : Phase::waiting;
        return true;
    }

    void deliver() {
        while (!stopped) {
            const std::unique_ptr<PGnotify, FreeNotification> notification(PQnotifies(connection.get()));
            if (!notification) return;
            if (notification->relname == channel) {
                take_beat(notification->extra);
            } else if (callbacks.notified) {
                callbacks.notified(notification->extra, notification->relname);
            }
        }
    }

    void take_beat(std::string_view payload) {
        if (payload != std::to_string(sequence)) return;
        returned = true;
        if (phase == Phase::waiting) phase = Phase::idle;
        if (callbacks.heartbeat) callbacks.heartbeat(snapshot, started);
    }

    // Said once for each gap, not for each attempt to end it.
    void lose(const std::string& reason) {
        if (!std::exchange(listening, false)) return;
        if (callbacks.lost) callbacks.lost(reason);
    }

    void start() {
        auto ended = [self = shared_from_this()](std::exception_ptr thrown) {
            if (!thrown || self->stopped) return;
            std::rethrow_exception(thrown);
        };
        asio::co_spawn(context, live(), asio::bind_cancellation_slot(cancel.slot(), std::move(ended)));
    }

    void stop() {
        if (std::exchange(stopped, true)) return;
        cancel.emit(asio::cancellation_type::terminal);
    }

    asio::io_context& context;
    const std::string url;
    const std::vector<std::string> channels;
    const Duration beat;
    const Notifications callbacks;
    const std::string channel;  // of our own beats: nobody else's wake us
    Connection connection;
    asio::cancellation_signal cancel;
    policy::Backoff backoff{50ms, 2s};
    std::minstd_rand engine;
    bool stopped = false;
    bool listening = true;  // or nothing was lost yet: the first failure to connect is told as well

    Phase phase = Phase::idle;
    std::uint64_t sequence = 0;
    TimePoint started;
    std::string snapshot;
    bool returned = false;  // this beat has been heard
};

Listener::Listener(asio::io_context& context, std::string url, std::vector<std::string> channels, Duration beat,
                   Notifications callbacks)
    : state_(std::make_shared<State>(context, std::move(url), std::move(channels), beat, std::move(callbacks))) {}

Listener::~Listener() { state_->stop(); }

void Listener::start() { state_->start(); }

void Listener::stop() { state_->stop(); }

}  // namespace millrace::pg

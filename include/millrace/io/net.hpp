// One thread's event loop and what hangs on it: tasks that can be stopped and waited for, deadlines, signals; TLS on sockets.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/events.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace millrace::net {

namespace asio = boost::asio;

[[nodiscard]] TimePoint now();
[[nodiscard]] WallTime wall_now();

[[nodiscard]] std::string text_of(std::exception_ptr error);  // what() of whatever was thrown

// Coroutines that belong together: what they throw is caught and reported as events::Fallen; all can be waited for.
// One thread. The group must go before the loop does.
class TaskGroup {
public:
    TaskGroup(asio::io_context& context, events::Observer& observer);
    ~TaskGroup();
    // One task of the group, known to itself before it begins; not to be used once it has ended.
    struct One;
    void spawn(std::string_view where, asio::awaitable<void> task, One** one = nullptr);
    static void cancel(One& one);
    [[nodiscard]] std::size_t running() const;
    void cancel();                                                // emits a terminal cancellation to every task
    [[nodiscard]] asio::awaitable<bool> wait(Deadline deadline);  // true when all have ended

private:
    struct State;
    std::shared_ptr<State> state_;
};

// Something with a deadline that is looked at a few times a second rather than by a timer of its own (0.5 µs instead of 4.7 µs
// per operation). The owner moves the deadline; past it, the deadline is cleared and expire() called, on the loop's thread.
class Watched {
public:
    virtual ~Watched() = default;
    virtual void expire() = 0;
    Deadline deadline;
};

class Watchdog {
public:
    Watchdog(asio::io_context& context, Duration period = std::chrono::milliseconds(100));
    ~Watchdog();
    // The returned handle ends the watch when it is destroyed.
    class Handle;
    [[nodiscard]] std::unique_ptr<Handle> watch(Watched& watched);
    void stop();

private:
    struct State;
    std::shared_ptr<State> state_;
};
class Watchdog::Handle {
public:
    virtual ~Handle() = default;
};

// Waits; returns early (false) when the task is cancelled.
[[nodiscard]] asio::awaitable<bool> sleep_for(Duration duration);

// A thread beside a loop, for work that would hold the loop up. Jobs run one after the other; what each brings is finished on
// the loop. It must go before the loop does; a job that has begun is waited for, the rest is dropped.
class SideThread {
public:
    explicit SideThread(asio::io_context& context);
    ~SideThread();
    // `job` must not throw. False when `waiting_max` jobs are there already: it is not taken then.
    bool run(std::function<void()> job, std::function<void()> finish);
    [[nodiscard]] std::size_t waiting() const;

    static constexpr std::size_t waiting_max = 64;

private:
    struct State;
    std::unique_ptr<State> state_;
};

void set_tls_manners(ssl_ctx_st* context);  // which TLS is spoken, whoever is the other side

// TLS on one connection's socket, which does not block: what cannot be done at once says what to wait for.
class Encryption {
public:
    // `socket` outlives it.
    Encryption(ssl_ctx_st* context, int socket);
    ~Encryption();
    Encryption(const Encryption&) = delete;
    Encryption& operator=(const Encryption&) = delete;

    // Each leaves would_block in `error` when it has to be tried again, with the same bytes, once the socket can do what
    // waits_to_write() says. A read of nothing without an error is the end.
    void accept(boost::system::error_code& error);
    void connect(boost::system::error_code& error);
    [[nodiscard]] std::size_t read_some(void* into, std::size_t bytes, boost::system::error_code& error);
    [[nodiscard]] std::size_t write_some(std::string_view bytes, boost::system::error_code& error);
    void shutdown();  // says that nothing follows, if the socket takes it

    // Before connect(): the host's name or address that the other side must prove, by whom the context trusts.
    [[nodiscard]] bool expect(const std::string& name);
    [[nodiscard]] const std::string& trouble() const;  // why connect() failed, in words
    [[nodiscard]] bool waits_to_write() const { return waits_to_write_; }
    // No error: something has come, and stays to be read; would_block: nothing has; else the other side has ended.
    [[nodiscard]] boost::system::error_code peek();

private:
    struct State;
    [[nodiscard]] boost::system::error_code why(int result);
    void note_trouble();

    std::unique_ptr<State> state_;
    bool waits_to_write_ = false;
};

// Wakes coroutines of one thread; a wake without a waiter is not remembered.
class Signal {
public:
    explicit Signal(asio::io_context& context);
    ~Signal();
    void notify_all();
    [[nodiscard]] asio::awaitable<bool> wait(Deadline deadline);  // false: the deadline passed

private:
    struct State;
    std::shared_ptr<State> state_;
};

// A body that comes piece by piece, and no faster than it is asked for: whoever does not ask holds its sender back. One thread.
class Source {
public:
    Source() = default;
    virtual ~Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;

    // In bytes, as its sender announced it; nothing: nobody knows before its end.
    [[nodiscard]] virtual std::optional<std::uint64_t> length() const = 0;
    // Appends the next piece to `out`, of 64 KiB at most; false: that was the last of it. What fails is over, and its error is
    // what its sender is to be told.
    [[nodiscard]] virtual asio::awaitable<Result<bool>> next(std::string& out, Deadline limit) = 0;
    // The next() that waits fails at once. Nothing of the body is lost by that: it may be asked for again.
    virtual void interrupt() = 0;
};

}  // namespace millrace::net

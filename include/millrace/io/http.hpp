// HTTP/1.1 on sockets: an acceptor per worker, one session loop per connection, read by the framing guard alone.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "millrace/core/base.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"
#include "millrace/core/framing.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/peer.hpp"

namespace millrace::net {
class Source;
}

namespace millrace::http {

namespace asio = boost::asio;

// Filled while a request is answered; the session adds sizes and total time and emits it as events::RequestFinished.
struct Trace {
    std::string request_id;                             // X-Request-Id as sent (at most 128 visible ASCII characters), or made
    std::string_view version = "none", route = "none";  // must outlive the request: names of a snapshot that it holds
    std::shared_ptr<const void> keep;                   // that snapshot
    std::string role, subject, error_code;
    events::CacheResult cache = events::CacheResult::none;
    events::CacheReason cache_reason = events::CacheReason::none;
    Duration plan{}, lane_wait{}, database{}, redis{}, render{};
};

// A body that is sent while it is made. It goes before the snapshot and the handler that made it.
class BodySource {
public:
    virtual ~BodySource() = default;
    enum class Part : std::uint8_t { more, end, broken };  // broken: it cannot be completed
    // Appends the next part to `out`.
    [[nodiscard]] virtual asio::awaitable<Part> next(std::string& out) = 0;
};

struct Outgoing {
    Outgoing() = default;
    Outgoing(message::Reply r, std::unique_ptr<BodySource> source = nullptr) : reply(std::move(r)), body(std::move(source)) {}
    message::Reply reply;
    std::unique_ptr<BodySource> body;  // instead of the reply's own, when its length is not known yet
};

// The answer, or what is to be awaited for it: one that is there already needs no coroutine.
using Answer = std::variant<Outgoing, asio::awaitable<Outgoing>>;

// What a request's body may be, as far as its head tells.
struct BodyRule {
    std::uint64_t bytes_max = 0;  // more of it is refused with 413
    bool streams = false;         // one that is not whole with its head is given to answer() to be read
};

// Who answers requests. One per worker, called on its thread only.
class Handler {
public:
    virtual ~Handler() = default;
    // Asked when the head is there, before its body is read.
    [[nodiscard]] virtual BodyRule body_rule(const message::Request& head) const = 0;
    // Must not throw for what a request can cause. The request's views live until the answer is returned, the trace until its
    // body has ended. `body`: the request's, which is still to be read and lives as long as the views do; nothing: it is whole,
    // as always where body_rule() has not just said of the same head that it streams. What is not read of it when the answer
    // is returned is not read any more.
    [[nodiscard]] virtual Answer answer(const message::Request& request, Trace& trace, net::Source* body) = 0;
    // Many heads were read since the last time: what the handler itself waits for may stand behind more of them in the loop's
    // order, so it should take what has come.
    virtual void catch_up() {}
};

// A certificate with its key, and perhaps whom clients' own must come from: TLS 1.2 and later. Immutable, shared by threads.
class Tls {
public:
    struct Files {
        std::string cert, key;  // PEM; the certificate with what leads to its authority
        std::string client_ca;  // PEM; empty: clients are not asked
    };
    // Fails with what is wrong with the files, by name and without their contents.
    static Result<std::shared_ptr<const Tls>> read(const Files& files);
    virtual ~Tls() = default;
};

struct ServerOptions {
    config::Listen listen;
    config::HttpSettings http;
    peer::Networks trusted;     // whose X-Forwarded-For and Forwarded are believed
    peer::Networks send_proxy;  // whose connections begin with a PROXY header
    bool emit_requests = true;  // false: the admin listener, whose requests are no part of the metrics
    std::string server_name = "millrace";
    std::shared_ptr<const Tls> tls{};  // nothing: connections are plain
};

// An acceptor with SO_REUSEPORT and its sessions, on one thread.
class Server {
public:
    Server(asio::io_context& context, ServerOptions options, Handler& handler, events::Observer& observer);
    ~Server();

    [[nodiscard]] Result<std::uint16_t> open();  // binds and listens; the port, also when 0 was asked for
    void start();                                // accepts
    void stop_accepting();                       // closes the listening socket
    void renew(std::shared_ptr<const Tls> tls);  // for connections to come, of a server that had one from the start
    // From now on every reply says "Connection: close", idle connections end at once.
    void drain();
    [[nodiscard]] asio::awaitable<bool> drained(Deadline deadline);  // every session has ended
    void abort();                                                    // cuts what is left
    [[nodiscard]] std::size_t connections() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace millrace::http

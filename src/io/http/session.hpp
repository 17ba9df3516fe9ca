// One connection: reads requests, has them answered in order, ends.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <list>
#include <memory>
#include <millrace/io/http.hpp>
#include <millrace/io/net.hpp>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "buffer.hpp"
#include "reply_writer.hpp"

namespace millrace::http {

// The concrete executor spares a virtual call for each operation.
using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

inline constexpr std::size_t kept_bytes_max = 16 * 1024;                // of memory that a connection keeps between requests
inline constexpr Duration look_every = std::chrono::milliseconds(200);  // after a client that waits for its answer
inline constexpr Duration drain_grace =
    std::chrono::milliseconds(300);  // for a request that is on its way to an idle connection

class Session;

// What the sessions of one server share.
struct SessionContext {
    SessionContext(asio::io_context& io, ServerOptions options, Handler& handler, events::Observer& observer);

    void emit(const events::Event& event) {
        if (options.emit_requests) observer.on(event);
    }
    // A head was read. After each few of them the handler looks for what it waits for itself.
    static void note_head(const std::shared_ptr<SessionContext>& context);
    // Sends a session's finished replies at the end of this turn of the loop, if it waits for a handler until then.
    void flush_later(Session& session);

    asio::io_context& io;
    ServerOptions options;
    Handler& handler;
    events::Observer& observer;
    framing::Limits limits;
    ReplyWriter writer;
    RequestIds ids;
    net::Watchdog watchdog;
    std::list<Session*> sessions;
    std::shared_ptr<std::vector<Session*>> to_flush;
    std::size_t heads = 0;  // that were read
    bool draining = false, aborted = false;
};

// Itself the source of the present request's body, where the handler reads it.
class Session final : public net::Watched, private net::Source {
public:
    Session(std::shared_ptr<SessionContext> context, Socket socket, const peer::Address& peer);
    ~Session() override;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] asio::awaitable<void> run();
    [[nodiscard]] asio::awaitable<void> turn_away(Error error);  // one refusal, no request is read

    void drain();  // ends the connection if it is idle
    void cut();
    void flush_now();
    void expire() override;
    net::TaskGroup::One* task = nullptr;  // that runs it

private:
    enum class Phase : std::uint8_t { idle, head, body, handling, writing, ending };
    enum class Sent : std::uint8_t { all, some, failed };
    using Reading = std::tuple<boost::system::error_code, std::size_t>;

    // session_proxy.cpp
    [[nodiscard]] asio::awaitable<bool> read_proxy_header();
    [[nodiscard]] asio::awaitable<bool> await_proxy_header(peer::ProxyHeader& header);
    [[nodiscard]] std::optional<bool> take_proxy_bytes(peer::ProxyHeader& header);
    void set_peer(const peer::Address& address);
    void find_client();

    // session_read.cpp
    [[nodiscard]] asio::awaitable<bool> read_head();
    bool expect_head();
    [[nodiscard]] bool take_head(std::size_t received, bool idle);
    [[nodiscard]] asio::awaitable<bool> read_body();
    [[nodiscard]] asio::awaitable<bool> read_in_place();
    [[nodiscard]] asio::awaitable<bool> read_apart();
    [[nodiscard]] asio::awaitable<bool> read_chunked(std::uint64_t body_bytes_max);
    [[nodiscard]] asio::awaitable<std::size_t> receive(asio::mutable_buffer into);
    [[nodiscard]] asio::awaitable<Reading> read_later(asio::mutable_buffer into);
    [[nodiscard]] asio::awaitable<Reading> read_encrypted(asio::mutable_buffer into);
    [[nodiscard]] asio::awaitable<bool> shake_hands();
    [[nodiscard]] bool last_look();
    void rest();

    // session_body.cpp
    [[nodiscard]] bool begin_body(const BodyRule& rule);
    [[nodiscard]] bool begin_chunks(const BodyRule& rule);
    [[nodiscard]] bool make_room_behind_head();
    [[nodiscard]] std::optional<std::uint64_t> length() const override;
    [[nodiscard]] asio::awaitable<Result<bool>> next(std::string& out, Deadline limit) override;
    void interrupt() override;
    [[nodiscard]] asio::awaitable<bool> let_client_go_on();
    [[nodiscard]] asio::awaitable<Result<bool>> read_piece(std::string& out, Deadline limit);
    [[nodiscard]] asio::awaitable<bool> read_sized(std::string& out);
    [[nodiscard]] asio::awaitable<Result<bool>> read_chunks(std::string& out);
    [[nodiscard]] Error cut_short();
    [[nodiscard]] bool can_skip_body() const;
    [[nodiscard]] asio::awaitable<bool> skip_body();

    // session_write.cpp
    [[nodiscard]] Sent send_now(std::string_view body);
    std::size_t write_some(std::string_view head, std::string_view body, boost::system::error_code& error);
    [[nodiscard]] Socket::wait_type next_wait(Socket::wait_type plain) const;
    [[nodiscard]] asio::awaitable<bool> flush(std::string_view body);
    [[nodiscard]] bool gather_at_once(const Answer& answer);
    [[nodiscard]] bool gather(const message::Reply& reply, std::string_view& apart);
    [[nodiscard]] asio::awaitable<void> write_stream(Outgoing answer);
    [[nodiscard]] asio::awaitable<bool> write_parts(BodySource& source, std::size_t& bytes);
    [[nodiscard]] asio::awaitable<void> finish();
    [[nodiscard]] asio::awaitable<void> linger();
    bool append(const message::Reply& reply, bool streams = false);
    void refuse(const Error& error);
    void decide_end(const message::Reply& reply, bool until_closed);

    // session.cpp
    [[nodiscard]] asio::awaitable<bool> begin();
    [[nodiscard]] Answer ask();
    [[nodiscard]] Outgoing fallen();
    void begin_wait();
    [[nodiscard]] asio::awaitable<void> answer_later(Answer answer);
    void look_after_client();
    [[nodiscard]] bool client_has_left();
    void report_gone();
    void begin_trace();
    void report_finished(const message::Reply& reply, std::size_t bytes_out);

    std::shared_ptr<SessionContext> kept_;  // goes last: g++ 12 destroys a coroutine's arguments in any order
    SessionContext& context_;
    Socket socket_;
    std::optional<net::Encryption> encryption_;  // nothing: the connection is plain
    peer::Address peer_;                         // of the connection: who connected, or whom its PROXY header names
    std::string peer_text_, client_text_;        // the client is that of the present request, where others tell who it is
    std::list<Session*>::iterator place_;
    std::unique_ptr<net::Watchdog::Handle> watch_;

    Buffer in_;
    std::string body_;  // of a request that does not fit behind its head; what is there of one that the handler reads
    std::string out_;   // replies that are not sent yet, all but their large bodies
    std::size_t sent_ = 0;

    framing::Head head_;
    std::size_t scanned_ = 0;                      // of in_, by find_head
    std::size_t head_length_ = 0;                  // of the present request
    std::size_t request_bytes_ = 0;                // of in_ that are the present request's
    std::optional<framing::ChunkDecoder> chunks_;  // of a body that the handler reads; nothing: its length is known
    std::uint64_t body_left_ = 0;                  // of that length
    std::uint64_t body_taken_ = 0;                 // by the handler
    Trace trace_;
    TimePoint read_at_, head_began_, quiet_since_;

    Phase phase_ = Phase::idle;
    bool expired_ = false;      // the deadline passed while an operation waited
    bool closing_ = false;      // no further request is read
    bool refused_ = false;      // what the client still sends is not wanted
    bool gone_ = false;         // the client has left while its answer was made
    bool broken_ = false;       // nothing can be sent any more
    bool flush_asked_ = false;  // in the context's list
    bool body_unread_ = false;  // there is more of the request's body, and the handler may read it
    bool interrupted_ = false;  // it does not want to wait for it
};

}  // namespace millrace::http

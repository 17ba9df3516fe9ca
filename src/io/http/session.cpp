// The life of a connection: head, body, handler, reply, in order, until one side has enough.
#include "session.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <exception>
#include <millrace/core/reply.hpp>
#include <utility>

#include "tls.hpp"

namespace millrace::http {
namespace {

framing::Limits limits_of(const config::HttpSettings& http) {
    framing::Limits limits;
    limits.head_bytes_max = http.head_bytes_max;
    limits.headers_max = http.headers_max;
    limits.target_bytes_max = http.target_bytes_max;
    return limits;
}

// The loop takes up what is ready in the order in which it became so: whatever became ready after a crowd of clients waits
// until the loop has been round them.
constexpr std::size_t heads_between_looks = 32;
constexpr int status_client_gone = 499;  // never sent; logs and metrics have it as nginx does

}  // namespace

SessionContext::SessionContext(asio::io_context& loop, ServerOptions with, Handler& answers, events::Observer& watches)
    : io(loop),
      options(std::move(with)),
      handler(answers),
      observer(watches),
      limits(limits_of(options.http)),
      writer(options.server_name),
      watchdog(loop),
      to_flush(std::make_shared<std::vector<Session*>>()) {}

// Not at once: the handler may resume others, and this is the middle of a session.
void SessionContext::note_head(const std::shared_ptr<SessionContext>& context) {
    if (++context->heads % heads_between_looks != 0) return;
    asio::post(context->io, [noted = std::weak_ptr<SessionContext>(context)] {
        if (const auto there = noted.lock()) there->handler.catch_up();
    });
}

void SessionContext::flush_later(Session& session) {
    to_flush->push_back(&session);
    if (to_flush->size() > 1) return;
    asio::post(io, [list = to_flush] {
        const std::vector<Session*> asked = std::exchange(*list, {});
        for (Session* one : asked) one->flush_now();
    });
}

Session::Session(std::shared_ptr<SessionContext> context, Socket socket, const peer::Address& peer)
    : kept_(std::move(context)),
      context_(*kept_),
      socket_(std::move(socket)),
      peer_(peer),
      peer_text_(peer.text()),
      place_(context_.sessions.insert(context_.sessions.end(), this)),
      watch_(context_.watchdog.watch(*this)),
      quiet_since_(net::now()) {
    boost::system::error_code ignored;  // a socket that cannot fails at its first operation
    socket_.non_blocking(true, ignored);
    if (context_.options.tls) encryption_.emplace(context_of(*context_.options.tls), socket_.native_handle());
    context_.emit(events::ConnectionOpened{});
}

Session::~Session() {
    if (flush_asked_) std::erase(*context_.to_flush, this);
    context_.sessions.erase(place_);
    context_.emit(events::ConnectionClosed{});
}

// A proxy's header stands before all else, the TLS that it passes on too.
asio::awaitable<bool> Session::begin() {
    const bool knows_peer = co_await read_proxy_header();
    if (!knows_peer || !encryption_) co_return knows_peer;
    co_return co_await shake_hands();
}

asio::awaitable<void> Session::run() {
    const bool begun = co_await begin();
    if (!begun) co_return;
    while (!closing_) {
        const bool has_head = co_await read_head();
        if (!has_head) break;
        if (head_.body != framing::BodyKind::none) {
            const bool has_body = co_await read_body();
            if (!has_body) break;
        }
        Answer answer = ask();
        const bool gathered = gather_at_once(answer);
        if (!gathered) co_await answer_later(std::move(answer));
        if (body_unread_ && !closing_) {
            const bool skipped = co_await skip_body();
            if (!skipped) break;
        }
        in_.consume(request_bytes_);
        scanned_ = 0;
    }
    co_await finish();
}

asio::awaitable<void> Session::turn_away(Error error) {
    const bool begun = co_await begin();
    if (!begun) co_return;
    refuse(error);
    co_await finish();
}

// A request may be on its way on a connection that is idle here: it gets a moment to arrive, and is then the last one.
void Session::drain() {
    if (phase_ == Phase::idle) deadline.at = std::min(deadline.at, net::now() + drain_grace);
}

void Session::cut() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

void Session::expire() {
    if (phase_ == Phase::handling) return look_after_client();
    expired_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

// A client that has closed its end will not read what it asked for. A read is given up then; a write goes on, as its outcome is
// what the database will hold.
void Session::look_after_client() {
    const auto method = head_.request.method;
    if (task == nullptr || (method != message::Method::get && method != message::Method::head)) return;
    if (!client_has_left()) {
        deadline.at = net::now() + look_every;
        return;
    }
    gone_ = closing_ = broken_ = true;
    net::TaskGroup::cancel(*task);
}

bool Session::client_has_left() {
    if (encryption_) {
        const auto seen = encryption_->peek();
        return seen && seen != asio::error::would_block;
    }
    char byte = 0;
    const auto seen = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    const bool nothing_yet = seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    return seen <= 0 && !nothing_yet;
}

Answer Session::ask() {
    begin_trace();
    try {
        return context_.handler.answer(head_.request, trace_, body_unread_ ? this : nullptr);
    } catch (...) {
        if (context_.aborted) throw;
        return fallen();
    }
}

// What a handler throws is a bug of it, and the connection's last answer.
Outgoing Session::fallen() {
    const std::string what = net::text_of(std::current_exception());
    context_.observer.on(events::Fallen{"http.handler", what});
    Outgoing out(reply::from_error(Error::of(Fault::internal)));
    out.reply.close = true;
    return out;
}

// What has to be waited for: the answer itself, or that the client takes it.
asio::awaitable<void> Session::answer_later(Answer answer) {
    Outgoing out;
    if (auto* there = std::get_if<Outgoing>(&answer)) out = std::move(*there);
    try {
        if (auto* awaited = std::get_if<asio::awaitable<Outgoing>>(&answer)) {
            begin_wait();
            out = co_await std::move(*awaited);
        }
    } catch (...) {
        if (context_.aborted || gone_) throw;
        out = fallen();
    }
    if (gone_) {
        report_gone();
        co_return;
    }
    std::string_view apart;
    if (out.body) {
        co_await write_stream(std::move(out));
    } else if (!gather(out.reply, apart)) {
        const bool flushed = co_await flush(apart);
        if (!flushed) closing_ = broken_ = true;
    }
}

void Session::begin_wait() {
    phase_ = Phase::handling;
    deadline.at = read_at_ + look_every;
    if (out_.empty() || flush_asked_) return;
    flush_asked_ = true;
    context_.flush_later(*this);
}

void Session::report_gone() {
    message::Reply reply;
    reply.status = status_client_gone;
    quiet_since_ = net::now();
    report_finished(reply, 0);
}

void Session::begin_trace() {
    find_client();
    head_.request.arrived = head_began_;
    const std::string_view sent = head_.request.header("x-request-id");
    if (RequestIds::valid(sent)) {
        trace_.request_id = sent;
    } else {
        context_.ids.make(trace_.request_id);
    }
    trace_.version = trace_.route = "none";
    trace_.role.clear();
    trace_.subject.clear();
    trace_.error_code.clear();
    trace_.cache = events::CacheResult::none;
    trace_.cache_reason = events::CacheReason::none;
    trace_.plan = trace_.lane_wait = trace_.database = trace_.redis = trace_.render = {};
}

void Session::report_finished(const message::Reply& reply, std::size_t bytes_out) {
    if (context_.options.emit_requests) {
        events::RequestFinished event;
        event.request_id = trace_.request_id;
        event.version = trace_.version;
        event.route = trace_.route;
        event.path = head_.request.path;
        event.peer = head_.request.peer;
        event.role = trace_.role;
        event.subject = trace_.subject;
        event.method = head_.request.method;
        event.status = reply.status;
        event.bytes_in = head_length_ + head_.request.body.size() + body_taken_;
        event.bytes_out = bytes_out;
        event.cache = trace_.cache;
        event.cache_reason = trace_.cache_reason;
        event.total = quiet_since_ - head_began_;
        event.plan = trace_.plan;
        event.lane_wait = trace_.lane_wait;
        event.database = trace_.database;
        event.redis = trace_.redis;
        event.render = trace_.render;
        event.error_code = trace_.error_code;
        context_.observer.on(event);
    }
    body_taken_ = 0;
    trace_.keep.reset();
}

}  // namespace millrace::http

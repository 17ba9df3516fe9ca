// Sends replies: gathered while more requests are there, at once without waiting when the socket takes them, and an end that
// lets the client read what it was told.
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <millrace/core/reply.hpp>
#include <utility>

#include "session.hpp"

namespace millrace::http {
namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t copied_body_bytes_max = 8 * 1024;  // copying this much is cheaper than a second buffer
constexpr std::size_t gathered_bytes_max = 64 * 1024;
constexpr std::size_t linger_bytes_max = 1024 * 1024;
constexpr Duration linger_time = std::chrono::seconds(2);

void append_chunk_size(std::string& out, std::size_t size) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
    out.append(digits.data(), end);
    out += "\r\n";
}

}  // namespace

bool Session::append(const message::Reply& reply, bool streams) {
    quiet_since_ = net::now();
    const ReplyForm form{head_.request.method == message::Method::head, head_.http_1_0, closing_, streams, trace_.request_id};
    return context_.writer.append_head(out_, reply, form, quiet_since_);
}

// An answer that is there, and small, while not much is gathered: nothing has to be waited for. False: answer_later().
bool Session::gather_at_once(const Answer& answer) {
    const auto* out = std::get_if<Outgoing>(&answer);
    if (out == nullptr || out->body || out_.size() >= gathered_bytes_max) return false;
    if (out->reply.body.view().size() > copied_body_bytes_max) return false;
    std::string_view nothing_apart;
    (void)gather(out->reply, nothing_apart);
    return true;
}

// Is this the connection's last reply? What its request's body still has is then not wanted; what nobody read of one ends the
// connection, unless it is short.
void Session::decide_end(const message::Reply& reply, bool until_closed) {
    closing_ = reply.close || context_.draining || !head_.keep_alive || until_closed;
    if (!body_unread_) return;
    closing_ = closing_ || !can_skip_body();
    refused_ = closing_;
}

// Puts the reply behind those that are not sent yet. False: it is time to send them, with this body `apart` from them.
bool Session::gather(const message::Reply& reply, std::string_view& apart) {
    phase_ = Phase::writing;
    decide_end(reply, false);
    const std::size_t before = out_.size();
    const bool with_body = append(reply);
    const std::string_view body = with_body ? reply.body.view() : std::string_view();
    if (body.size() > copied_body_bytes_max)
        apart = body;
    else
        out_ += body;
    report_finished(reply, out_.size() - before + apart.size());
    return apart.empty() && out_.size() < gathered_bytes_max;
}

// RFC 9112 §6.1: in chunks for HTTP/1.1, until the connection ends for HTTP/1.0. A body that cannot be completed ends without
// its last chunk, so that nobody takes it for whole.
asio::awaitable<void> Session::write_stream(Outgoing answer) {
    phase_ = Phase::writing;
    decide_end(answer.reply, head_.http_1_0);
    const std::size_t before = out_.size();
    append(answer.reply, true);
    std::size_t bytes = out_.size() - before;
    const bool whole = co_await write_parts(*answer.body, bytes);
    if (!whole) {
        closing_ = broken_ = true;
        cut();
    }
    answer.body.reset();
    quiet_since_ = net::now();
    report_finished(answer.reply, bytes);
}

asio::awaitable<bool> Session::write_parts(BodySource& source, std::size_t& bytes) {
    const bool chunked = !head_.http_1_0;
    std::string part;
    for (;;) {
        part.clear();
        phase_ = Phase::handling;
        deadline.at = net::now() + look_every;
        const auto said = co_await source.next(part);
        phase_ = Phase::writing;
        if (said == BodySource::Part::broken) co_return false;
        bytes += part.size();
        if (chunked && !part.empty()) append_chunk_size(out_, part.size());
        const bool flushed = co_await flush(part);
        if (!flushed) co_return false;
        if (chunked && !part.empty()) out_ += "\r\n";
        if (said == BodySource::Part::end) break;
    }
    if (chunked) out_ += "0\r\n\r\n";
    const std::string_view nothing_more;
    co_return co_await flush(nothing_more);
}

// A refusal is the last thing that is said: what follows on this connection cannot be trusted to be a request.
void Session::refuse(const Error& error) {
    context_.ids.make(trace_.request_id);
    closing_ = refused_ = true;
    const message::Reply reply = reply::from_error(error);
    if (append(reply)) out_ += reply.body.view();
    context_.emit(events::RequestRefused{error.code, error.status});
}

// Sends what the socket takes without waiting: out_ from sent_ on, then `body` when it is given.
Session::Sent Session::send_now(std::string_view body) {
    while (sent_ < out_.size() + body.size()) {
        boost::system::error_code error;
        const std::size_t head_left = sent_ < out_.size() ? out_.size() - sent_ : 0;
        const std::size_t body_sent = sent_ > out_.size() ? sent_ - out_.size() : 0;
        const std::string_view head_part = std::string_view(out_).substr(out_.size() - head_left);
        sent_ += write_some(head_part, body.substr(body_sent), error);
        if (error == asio::error::would_block || error == asio::error::try_again) return Sent::some;
        if (error) {
            closing_ = broken_ = true;
            return Sent::failed;
        }
    }
    out_.clear();
    if (out_.capacity() > kept_bytes_max) out_.shrink_to_fit();
    sent_ = 0;
    return Sent::all;
}

std::size_t Session::write_some(std::string_view head, std::string_view body, boost::system::error_code& error) {
    if (encryption_) return encryption_->write_some(head.empty() ? body : head, error);
    if (body.empty()) return socket_.write_some(asio::buffer(head), error);
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(body)};
    return socket_.write_some(parts, error);
}

// What the socket must be able to do before it is tried again; under TLS either may need the other.
Socket::wait_type Session::next_wait(Socket::wait_type plain) const {
    if (!encryption_) return plain;
    return encryption_->waits_to_write() ? Socket::wait_write : Socket::wait_read;
}

asio::awaitable<bool> Session::flush(std::string_view body) {
    for (;;) {
        const Sent sent = send_now(body);
        if (sent != Sent::some) co_return sent == Sent::all;
        // The time limit is on progress: a client that reads slowly but steadily is served.
        deadline.at = net::now() + std::chrono::milliseconds(context_.options.http.write_timeout_ms);
        expired_ = false;
        const auto [error] = co_await socket_.async_wait(next_wait(Socket::wait_write), use_tuple);
        if (error || expired_) {
            closing_ = broken_ = true;
            co_return false;
        }
    }
}

void Session::flush_now() {
    flush_asked_ = false;
    if (!broken_ && phase_ == Phase::handling) (void)send_now({});
}

// RFC 9112 §9.6: closing while bytes of the client are unread resets the connection and may take the last reply along.
asio::awaitable<void> Session::finish() {
    if (broken_) co_return;
    phase_ = Phase::ending;
    const std::string_view nothing_more;
    const bool flushed = co_await flush(nothing_more);
    if (!flushed) co_return;
    if (encryption_) encryption_->shutdown();
    boost::system::error_code error;
    socket_.shutdown(Socket::shutdown_send, error);
    const bool client_is_done = !head_.keep_alive && in_.empty() && !refused_;
    if (!error && closing_ && !client_is_done) co_await linger();
}

asio::awaitable<void> Session::linger() {
    deadline.at = net::now() + linger_time;
    expired_ = false;
    in_.consume(in_.view().size());
    in_.make_room(1);
    for (std::size_t drained = 0; drained < linger_bytes_max && !expired_;) {
        const auto [error, received] = co_await socket_.async_read_some(asio::buffer(in_.tail()), use_tuple);
        if (error) co_return;
        drained += received;
    }
}

}  // namespace millrace::http

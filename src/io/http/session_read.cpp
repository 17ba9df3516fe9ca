// Reads a request from the connection: the head in as many pieces as it takes, the body as its framing says.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "session.hpp"

namespace millrace::http {
namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t piece_bytes = 16 * 1024;  // how much memory a body gets ahead of its bytes
constexpr std::size_t chunk_room_bytes = 1024;

Duration ms(std::uint64_t count) { return std::chrono::milliseconds(count); }

}  // namespace

asio::awaitable<bool> Session::read_head() {
    head_began_ = read_at_;  // a pipelined head came with what was read last
    head_.request.method = message::Method::get;
    head_.http_1_0 = false;
    for (;;) {
        auto found = framing::find_head(in_.view(), context_.limits, scanned_);
        if (!found) {
            refuse(found.error());
            co_return false;
        }
        if (*found) {
            head_length_ = request_bytes_ = **found;
            break;
        }
        const bool idle = expect_head();
        const std::size_t received = co_await receive(in_.tail());
        if (!take_head(received, idle)) co_return false;
    }
    auto read = framing::read_head(in_.view().substr(0, head_length_), context_.limits, head_);
    if (!read) refuse(read.error());
    co_return read.has_value();
}

// More of a head is wanted, or the first byte of one: then the connection is idle.
bool Session::expect_head() {
    const bool idle = in_.empty();
    if (idle) rest();
    phase_ = idle ? Phase::idle : Phase::head;
    in_.make_room(1);
    deadline.at = idle ? quiet_since_ + ms(context_.options.http.idle_timeout_ms)
                       : head_began_ + ms(context_.options.http.head_timeout_ms);
    if (idle && context_.draining) deadline.at = std::min(deadline.at, net::now() + drain_grace);
    return idle;
}

// False: nothing came, and the connection ends.
bool Session::take_head(std::size_t received, bool idle) {
    if (received == 0) {
        if (idle && context_.draining && last_look()) return true;
        if (!idle && expired_) refuse(Error::of(Fault::request_timed_out));
        return false;
    }
    in_.commit(received);
    read_at_ = net::now();
    SessionContext::note_head(kept_);
    if (idle) head_began_ = read_at_;
    phase_ = Phase::head;
    return true;
}

// Some bytes, or none when the connection is over, the deadline has passed, or somebody ended the wait.
asio::awaitable<std::size_t> Session::receive(asio::mutable_buffer into) {
    // Whoever waits for the client owes it no finished reply.
    const bool answered = !out_.empty();
    if (answered && send_now({}) != Sent::all) {
        const Deadline kept = deadline;
        const std::string_view nothing_more;
        const bool flushed = co_await flush(nothing_more);
        if (!flushed) co_return 0;
        deadline = kept;
    }
    expired_ = false;
    auto reading = encryption_ ? read_encrypted(into) : answered ? read_later(into) : socket_.async_read_some(into, use_tuple);
    const auto [error, received] = co_await std::move(reading);
    co_return error || (expired_ && phase_ != Phase::idle) ? 0 : received;
}

// A client that has just been answered has nothing more to say yet: reading at once would be in vain. After the others of this
// turn its next request is often there.
asio::awaitable<Session::Reading> Session::read_later(asio::mutable_buffer into) {
    auto initiate = [this, into](auto done) {
        asio::post(context_.io,
                   [this, into, done = std::move(done)]() mutable { socket_.async_read_some(into, std::move(done)); });
    };
    return asio::async_initiate<decltype(use_tuple), void(boost::system::error_code, std::size_t)>(initiate, use_tuple);
}

// OpenSSL may hold bytes that the socket no longer has, so it is asked before the socket is waited for.
asio::awaitable<Session::Reading> Session::read_encrypted(asio::mutable_buffer into) {
    for (;;) {
        Reading read{boost::system::error_code(), 0};
        std::get<1>(read) = encryption_->read_some(into.data(), into.size(), std::get<0>(read));
        if (std::get<0>(read) != asio::error::would_block) co_return read;
        const auto [error] = co_await socket_.async_wait(next_wait(Socket::wait_read), use_tuple);
        if (error) co_return Reading(error, 0);
    }
}

// A client that does not finish in time, or speaks no TLS, is not answered: there is nothing to answer in.
asio::awaitable<bool> Session::shake_hands() {
    phase_ = Phase::head;
    deadline.at = net::now() + ms(context_.options.http.head_timeout_ms);
    for (;;) {
        boost::system::error_code error;
        encryption_->accept(error);
        if (!error) co_return true;
        if (error == asio::error::would_block)
            std::tie(error) = co_await socket_.async_wait(next_wait(Socket::wait_read), use_tuple);
        if (!error && !expired_) continue;
        context_.emit(events::RequestRefused{"tls", 0});
        closing_ = broken_ = true;
        co_return false;
    }
}

// A drain ends idle connections, but a request that is already here is still answered.
bool Session::last_look() {
    boost::system::error_code error;
    const asio::mutable_buffer room = in_.tail();
    const std::size_t received =
        encryption_ ? encryption_->read_some(room.data(), room.size(), error) : socket_.read_some(asio::buffer(room), error);
    if (error || received == 0) return false;
    in_.commit(received);
    head_began_ = read_at_ = net::now();
    phase_ = Phase::head;
    return true;
}

// An idle connection keeps little memory.
void Session::rest() {
    in_.shrink();
    if (body_.capacity() > kept_bytes_max) std::string().swap(body_);
}

asio::awaitable<bool> Session::read_body() {
    const BodyRule rule = context_.handler.body_rule(head_.request);
    if (head_.body == framing::BodyKind::sized && head_.content_length > rule.bytes_max) {
        refuse(Error::of(Fault::body_too_large));
        co_return false;
    }
    if (rule.streams) co_return begin_body(rule);
    const std::size_t here = in_.view().size() - head_length_;
    const bool whole = head_.body == framing::BodyKind::sized && here >= head_.content_length;
    if (head_.expects_continue && here == 0) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    phase_ = Phase::body;
    if (!whole) deadline.at = net::now() + ms(context_.options.http.body_timeout_ms);
    body_.clear();
    expired_ = false;
    bool read = false;
    if (head_.body == framing::BodyKind::chunked) {
        read = co_await read_chunked(rule.bytes_max);
    } else if (here + in_.room() >= head_.content_length) {
        read = co_await read_in_place();
    } else {
        read = co_await read_apart();
    }
    if (!read && expired_ && !broken_) refuse(Error::of(Fault::request_timed_out));
    co_return read;
}

asio::awaitable<bool> Session::read_in_place() {
    const auto length = static_cast<std::size_t>(head_.content_length);
    while (in_.view().size() < head_length_ + length) {
        const std::size_t received = co_await receive(in_.tail());
        if (received == 0) co_return false;
        in_.commit(received);
        read_at_ = net::now();
    }
    head_.request.body = in_.view().substr(head_length_, length);
    request_bytes_ = head_length_ + length;
    co_return true;
}

// A body that does not fit behind its head goes into memory of its own, which grows as the bytes come, not as announced.
asio::awaitable<bool> Session::read_apart() {
    const auto length = static_cast<std::size_t>(head_.content_length);
    body_ = in_.view().substr(head_length_);
    request_bytes_ = in_.view().size();
    for (std::size_t have = body_.size(); have < length;) {
        body_.resize(std::min(length, have + std::max(have, piece_bytes)));
        const asio::mutable_buffer room = asio::buffer(body_) + have;
        const std::size_t received = co_await receive(room);
        if (received == 0) co_return false;
        have += received;
        body_.resize(have);
    }
    read_at_ = net::now();
    head_.request.body = body_;
    co_return true;
}

asio::awaitable<bool> Session::read_chunked(std::uint64_t body_bytes_max) {
    if (in_.room() < chunk_room_bytes) {  // the head moves, so it is read again
        in_.make_room(chunk_room_bytes);
        auto read = framing::read_head(in_.view().substr(0, head_length_), context_.limits, head_);
        if (!read) co_return false;
    }
    framing::ChunkDecoder decoder(context_.limits, body_bytes_max);
    for (;;) {
        auto used = decoder.feed(in_.view().substr(head_length_), body_);
        if (!used) {
            refuse(used.error());
            co_return false;
        }
        request_bytes_ = head_length_ + *used;
        if (decoder.done()) break;
        in_.truncate(head_length_);
        const std::size_t received = co_await receive(in_.tail());
        if (received == 0) co_return false;
        in_.commit(received);
        read_at_ = net::now();
    }
    head_.request.body = body_;
    co_return true;
}

}  // namespace millrace::http

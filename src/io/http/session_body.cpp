// Gives the body of a request to the handler piece by piece, no faster than that asks for it, and not a byte of what follows
// it.
#include <algorithm>
#include <utility>

#include "session.hpp"

namespace millrace::http {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::uint64_t skipped_bytes_max = 64 * 1024;  // reading this much is cheaper than another connection

}  // namespace

// Takes what came with the head. False: what came is refused. What is whole already is not given piece by piece.
bool Session::begin_body(const BodyRule& rule) {
    body_.clear();
    chunks_.reset();
    body_unread_ = true;
    if (head_.body == framing::BodyKind::chunked) return begin_chunks(rule);
    const std::string_view here = in_.view().substr(head_length_);
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(here.size(), head_.content_length));
    request_bytes_ = head_length_ + length;
    body_left_ = head_.content_length - length;
    body_unread_ = body_left_ > 0;
    if (body_unread_) {
        body_ = here.substr(0, length);
    } else {
        head_.request.body = here.substr(0, length);
    }
    return true;
}

bool Session::begin_chunks(const BodyRule& rule) {
    chunks_.emplace(context_.limits, rule.bytes_max);
    auto used = chunks_->feed(in_.view().substr(head_length_), body_);
    if (!used) {
        body_unread_ = false;
        refuse(used.error());
        return false;
    }
    request_bytes_ = head_length_ + *used;
    body_unread_ = !chunks_->done();
    if (body_unread_) return make_room_behind_head();
    head_.request.body = body_;
    return true;
}

// What is read later goes behind the head, which moves now if it must: the handler will have views of it.
bool Session::make_room_behind_head() {
    in_.truncate(head_length_);
    if (in_.room() >= piece_bytes) return true;
    in_.make_room(piece_bytes);
    return framing::read_head(in_.view(), context_.limits, head_).has_value();
}

std::optional<std::uint64_t> Session::length() const {
    if (chunks_) return std::nullopt;
    return head_.content_length;
}

// The handler waits here for the client, so the time limit is the client's: on each piece, as on what is written.
asio::awaitable<Result<bool>> Session::next(std::string& out, Deadline limit) {
    interrupted_ = false;
    const std::size_t before = out.size();
    if (!body_.empty()) {
        out += std::exchange(body_, {});
        body_taken_ += out.size() - before;
        co_return body_unread_;
    }
    auto more = co_await read_piece(out, limit);
    body_taken_ += out.size() - before;
    phase_ = Phase::handling;
    deadline.at = net::now() + look_every;
    co_return more;
}

// Whoever asked whether to send the body waits for a word (RFC 9110 §10.1.1); whoever has begun needs none.
asio::awaitable<bool> Session::let_client_go_on() {
    const bool begun = body_taken_ > 0 || request_bytes_ > head_length_;
    if (std::exchange(head_.expects_continue, false) && !begun) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    if (out_.empty()) co_return true;
    phase_ = Phase::writing;
    const std::string_view nothing_more;
    const bool flushed = co_await flush(nothing_more);
    co_return flushed && !interrupted_;
}

asio::awaitable<Result<bool>> Session::read_piece(std::string& out, Deadline limit) {
    const bool goes_on = co_await let_client_go_on();
    if (!goes_on) co_return cut_short();
    phase_ = Phase::body;
    const Duration patience = std::chrono::milliseconds(context_.options.http.body_timeout_ms);
    const std::size_t before = out.size();
    while (body_unread_ && out.size() == before) {
        deadline.at = std::min(limit.at, net::now() + patience);
        if (chunks_) {
            auto more = co_await read_chunks(out);
            if (!more) co_return more;
            continue;
        }
        const bool read = co_await read_sized(out);
        if (!read) co_return cut_short();
    }
    co_return body_unread_;
}

// Straight to where it is wanted.
asio::awaitable<bool> Session::read_sized(std::string& out) {
    const std::size_t before = out.size();
    out.resize(before + static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, piece_bytes)));
    const asio::mutable_buffer room = asio::buffer(out) + before;
    const std::size_t received = co_await receive(room);
    out.resize(before + received);
    body_left_ -= received;
    body_unread_ = body_left_ > 0;
    read_at_ = net::now();
    co_return received > 0;
}

asio::awaitable<Result<bool>> Session::read_chunks(std::string& out) {
    in_.truncate(head_length_);
    const asio::mutable_buffer room = asio::buffer(in_.tail(), piece_bytes);
    const std::size_t received = co_await receive(room);
    if (received == 0) co_return cut_short();
    in_.commit(received);
    read_at_ = net::now();
    auto used = chunks_->feed(in_.view().substr(head_length_), out);
    if (!used) co_return std::move(used).error();
    request_bytes_ = head_length_ + *used;
    body_unread_ = !chunks_->done();
    co_return body_unread_;
}

void Session::interrupt() {
    interrupted_ = true;
    if (phase_ != Phase::body) return;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

// Why nothing came. A client that is gone is not answered.
Error Session::cut_short() {
    if (broken_ || (!interrupted_ && !expired_)) gone_ = closing_ = broken_ = true;
    if (expired_ && !gone_) return Error::of(Fault::request_timed_out);
    return Error::of(Fault::bad_framing).with_details("The body is incomplete.");
}

// Who waits to be told to send it may send it or not: then nobody knows where the next request begins (RFC 9110 §10.1.1).
bool Session::can_skip_body() const {
    return !chunks_ && body_taken_ == 0 && body_left_ <= skipped_bytes_max && !head_.expects_continue;
}

asio::awaitable<bool> Session::skip_body() {
    std::string nobody_wants;
    const Deadline by_patience;
    for (bool more = true; more;) {
        nobody_wants.clear();
        auto read = co_await next(nobody_wants, by_patience);
        if (!read) co_return false;
        more = *read;
    }
    body_taken_ = 0;
    co_return true;
}

}  // namespace millrace::http

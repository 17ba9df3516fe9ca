// Sees an answer that comes while its request is still being sent (RFC 9112 §9.5).
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <utility>

#include "connection.hpp"

namespace millrace::services {

void Connection::watch_for_answer(message::Method asked, const routes::UpstreamPolicy& policy, std::function<void()> came) {
    early_ = std::make_shared<Early>(Early{asked, policy, std::move(came), {}, {}});
    await_early();
}

// The connection lives at least as long as what it watches by.
void Connection::await_early() {
    auto readable = [this, early = std::weak_ptr<Early>(early_)](const boost::system::error_code& error) {
        if (error || early.expired()) return;
        look();
        if (!early_->received) return await_early();
        boost::system::error_code ignored;
        socket_.cancel(ignored);
        early_->came();
    };
    socket_.async_wait(asio::ip::tcp::socket::wait_read, std::move(readable));
}

// Takes what the socket has; interim answers are passed over.
void Connection::look() {
    while (!early_->received) {
        boost::system::error_code error;
        const std::size_t count = read_now(error);
        if (error == asio::error::would_block) return;
        if (count > 0) {
            in_.append(piece_, 0, count);
            early_->received = take_head(early_->asked, early_->policy, early_->heads);
            continue;
        }
        Received lost;
        lost.trouble = Failure::lost;
        lost.begun = early_->heads.begun;
        early_->received = std::move(lost);
    }
}

// Without waiting. Beside a write that TLS has to try again: reading and writing are states of their own to it.
std::size_t Connection::read_now(boost::system::error_code& error) {
    if (encryption_) return encryption_->read_some(piece_.data(), piece_.size(), error);
    const auto count = ::recv(socket_.native_handle(), piece_.data(), piece_.size(), MSG_DONTWAIT);
    const bool later = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    error = {};
    if (count <= 0) error = asio::error::eof;
    if (later) error = asio::error::would_block;
    return static_cast<std::size_t>(std::max<ssize_t>(count, 0));
}

// Whoever cannot write any more may have been told why: what came before the connection was reset can still be read.
bool Connection::answered() {
    if (early_ && !early_->received && socket_.is_open()) look();
    return early_ && early_->received;
}

std::shared_ptr<Connection::Early> Connection::stop_watching() {
    if (!early_) return nullptr;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
    return std::exchange(early_, nullptr);
}

}  // namespace millrace::services

// Sees an answer that comes while its request is still being sent (RFC 9112 §9.5).
#include <sys/socket.h>

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
        const auto count = ::recv(socket_.native_handle(), piece_.data(), piece_.size(), MSG_DONTWAIT);
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
        if (count > 0) {
            in_.append(piece_, 0, static_cast<std::size_t>(count));
            early_->received = take_head(early_->asked, early_->policy, early_->heads);
            continue;
        }
        Received lost;
        lost.trouble = Failure::lost;
        lost.begun = early_->heads.begun;
        early_->received = std::move(lost);
    }
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

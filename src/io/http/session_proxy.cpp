// Learns who the client is from those who stand between: by the PROXY header of a connection, by fields of a request.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "session.hpp"

namespace millrace::http {
namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

// Whoever is to begin with a header and does not is answered nothing: it may be somebody who got past the proxy. A connection
// that ends before its first byte is a proxy's way to see whether we are there.
asio::awaitable<bool> Session::read_proxy_header() {
    if (!context_.options.send_proxy.contains(peer_)) co_return true;
    peer::ProxyHeader header;
    const bool whole = co_await await_proxy_header(header);
    if (whole) {
        if (header.client()) set_peer(*header.client());
        quiet_since_ = net::now();
        co_return true;
    }
    if (header.begun() || (expired_ && !context_.draining)) context_.emit(events::RequestRefused{"proxy", 0});
    co_return false;
}

asio::awaitable<bool> Session::await_proxy_header(peer::ProxyHeader& header) {
    deadline.at = quiet_since_ + std::chrono::milliseconds(context_.options.http.head_timeout_ms);
    if (context_.draining) deadline.at = std::min(deadline.at, net::now() + drain_grace);
    expired_ = false;
    for (;;) {
        const auto [error] = co_await socket_.async_wait(Socket::wait_read, use_tuple);
        if (error || expired_) co_return false;
        if (const auto over = take_proxy_bytes(header)) co_return *over;
    }
}

// Takes what has come of the header off the socket, and not a byte more: what follows it may not be ours to read as text. True
// when that was the last of it, false when it is none or its sender is gone, nothing while more is to come.
std::optional<bool> Session::take_proxy_bytes(peer::ProxyHeader& header) {
    std::array<char, 512> bytes{};
    const auto seen = ::recv(socket_.native_handle(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    if (seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return std::nullopt;
    if (seen <= 0) return false;
    phase_ = Phase::head;
    const auto used = header.feed({bytes.data(), static_cast<std::size_t>(seen)});
    if (!used) return false;
    if (::recv(socket_.native_handle(), bytes.data(), *used, MSG_DONTWAIT) != static_cast<ssize_t>(*used)) return false;
    return header.done() ? std::optional(true) : std::nullopt;
}

void Session::set_peer(const peer::Address& address) {
    peer_ = address;
    peer_text_ = address.text();
}

// Of the present request: the connection's, unless a trusted proxy tells of another.
void Session::find_client() {
    message::Request& request = head_.request;
    const peer::Client client = peer::client_of(request, {peer_, encryption_.has_value()}, context_.options.trusted);
    request.encrypted = client.encrypted;
    request.peer = peer_text_;
    if (client.address == peer_) return;
    client_text_ = client.address.text();
    request.peer = client_text_;
}

}  // namespace millrace::http

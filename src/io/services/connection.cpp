// Connects, writes and reads, each with its limit; encrypted where the address is.
#include "connection.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <tuple>
#include <utility>

#include "trust.hpp"

namespace millrace::services {
namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t piece_bytes = 32 * 1024;
constexpr int interim_max = 16;  // 1xx before the answer itself

}  // namespace

Connection::Connection(asio::io_context& context, net::Watchdog& watchdog)
    : resolver_(context), socket_(context), watch_(watchdog.watch(*this)), piece_(piece_bytes, '\0') {}

Connection::~Connection() {
    if (encryption_ && socket_.is_open()) encryption_->shutdown();
}

void Connection::begin(Deadline limit) {
    expired_ = false;
    deadline = limit;
}

void Connection::expire() {
    expired_ = true;
    resolver_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    standing_.reset();
}

asio::awaitable<Trouble> Connection::open(const url::Url& address, const routes::Authorities* authorities, Deadline limit) {
    begin(limit);
    auto error = co_await connect(address);
    if (!error && !expired_) {
        boost::system::error_code ignored;
        socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
        if (address.encrypted) error = co_await secure(address.host, authorities);
    }
    deadline = {};
    if (!error && !expired_) co_return std::nullopt;
    if (expired_) complaint_ = "it took too long";
    if (complaint_.empty()) complaint_ = error.message();
    co_return Failure::connect;
}

// The other side must prove that it is the host we came for, by a certificate of somebody we trust.
asio::awaitable<boost::system::error_code> Connection::secure(const std::string& host, const routes::Authorities* authorities) {
    boost::system::error_code error = asio::error::no_permission;
    if (authorities == nullptr) complaint_ = "TLS: no authorities were read";
    if (authorities == nullptr) co_return error;
    socket_.non_blocking(true, error);
    if (error) co_return error;
    encryption_.emplace(context_of(*authorities), socket_.native_handle());
    if (!encryption_->expect(host)) co_return asio::error::invalid_argument;
    for (;;) {
        encryption_->connect(error);
        if (error != asio::error::would_block) break;
        error = co_await wait();
        if (error) co_return error;
    }
    if (error) complaint_ = "TLS: " + encryption_->trouble();
    co_return error;
}

// Until the socket can do what TLS waits for, whichever of reading and writing that is.
asio::awaitable<boost::system::error_code> Connection::wait() {
    using Socket = asio::ip::tcp::socket;
    const auto what = encryption_->waits_to_write() ? Socket::wait_write : Socket::wait_read;
    const auto [error] = co_await socket_.async_wait(what, use_tuple);
    co_return error;
}

asio::awaitable<boost::system::error_code> Connection::write_encrypted(std::string_view bytes) {
    while (!bytes.empty()) {
        boost::system::error_code error;
        const std::size_t sent = encryption_->write_some(bytes, error);
        if (error == asio::error::would_block) error = co_await wait();
        if (error) co_return error;
        bytes.remove_prefix(sent);
    }
    co_return boost::system::error_code();
}

asio::awaitable<Connection::Reading> Connection::read_encrypted() {
    for (;;) {
        boost::system::error_code error;
        const std::size_t count = encryption_->read_some(piece_.data(), piece_.size(), error);
        if (error != asio::error::would_block) co_return Reading(error, count);
        error = co_await wait();
        if (error) co_return Reading(error, 0);
    }
}

asio::awaitable<boost::system::error_code> Connection::connect(const url::Url& address) {
    boost::system::error_code error;
    const auto ip = asio::ip::make_address(address.host, error);
    if (!error) {
        const asio::ip::tcp::endpoint endpoint(ip, static_cast<std::uint16_t>(std::stoul(address.port)));
        std::tie(error) = co_await socket_.async_connect(endpoint, use_tuple);
        co_return error;
    }
    auto [failed, found] = co_await resolver_.async_resolve(address.host, address.port, use_tuple);
    if (failed) co_return failed;
    for (const auto& entry : found) {
        if (expired_) break;
        boost::system::error_code ignored;
        socket_.close(ignored);
        const asio::ip::tcp::endpoint endpoint = entry.endpoint();
        std::tie(error) = co_await socket_.async_connect(endpoint, use_tuple);
        if (!error) break;
    }
    co_return error;
}

asio::awaitable<Trouble> Connection::send(const std::string& head, std::string_view body, Deadline limit) {
    begin(limit);
    boost::system::error_code error;
    if (encryption_) {
        error = co_await write_encrypted(head);
        if (!error) error = co_await write_encrypted(body);
    } else {
        const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(body)};
        std::tie(error, std::ignore) = co_await asio::async_write(socket_, parts, use_tuple);
    }
    deadline = {};
    if (error) co_return failure();
    co_return std::nullopt;
}

asio::awaitable<Connection::More> Connection::receive(Deadline limit) {
    begin(limit);
    const asio::mutable_buffer into = asio::buffer(piece_);
    auto reading = encryption_ ? read_encrypted() : socket_.async_read_some(into, use_tuple);
    const auto [error, count] = co_await std::move(reading);
    deadline = {};
    More out;
    if (error == asio::error::eof && !expired_) {
        out.ended = true;
    } else if (error) {
        out.trouble = failure();
    }
    in_.append(piece_, 0, count);
    co_return out;
}

asio::awaitable<Connection::Received> Connection::read_head(message::Method asked, const routes::UpstreamPolicy& policy,
                                                            Deadline limit) {
    Heads heads;
    if (const auto early = stop_watching()) {
        if (early->received) co_return *std::move(early->received);
        heads = early->heads;
    }
    for (;;) {
        if (auto taken = take_head(asked, policy, heads)) co_return *std::move(taken);
        const More more = co_await receive(limit);
        if (!more.ended && !more.trouble) continue;
        Received out;
        out.trouble = more.ended ? Trouble(Failure::lost) : more.trouble;
        out.begun = heads.begun;
        co_return out;
    }
}

// Out of what is there: the final head, or that there can be none. Nothing: more has to come.
std::optional<Connection::Received> Connection::take_head(message::Method asked, const routes::UpstreamPolicy& policy,
                                                          Heads& heads) {
    Received out;
    heads.begun = out.begun = heads.begun || !in_.empty();
    while (heads.count < interim_max) {
        auto length = upstream::head_length(in_);
        if (!length) break;
        if (!*length) return std::nullopt;
        auto head = upstream::read_head(std::string_view(in_).substr(0, **length), asked, policy);
        if (!head || head->status == 101) break;  // nobody asked for another protocol
        in_.erase(0, **length);
        ++heads.count;
        if (head->status < 200) continue;
        out.head = std::move(*head);
        return out;
    }
    out.trouble = Failure::garbage;
    return out;
}

void Connection::rest(Deadline until) { begin(until); }

// A service that closed it, or that says something nobody asked for, is seen at once.
bool Connection::wake() {
    deadline = {};
    if (expired_ || !socket_.is_open() || !in_.empty()) return false;
    if (encryption_) return encryption_->peek() == asio::error::would_block;
    char byte = 0;
    const auto seen = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace millrace::services

// Accepts connections on a port that all workers share, and ends their sessions in two steps: drain, then abort.
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "session.hpp"

namespace millrace::http {
namespace {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr int backlog = 4096;
constexpr std::size_t turned_away_max = 64;  // connections over the limit that are told so at a time
constexpr Duration accept_pause = std::chrono::milliseconds(100);

peer::Address address_of(const asio::ip::tcp::endpoint& peer) {
    const auto address = peer.address();
    if (address.is_v4()) return peer::Address(address.to_v4().to_bytes());
    return peer::Address(address.to_v6().to_bytes());
}

// Out of descriptors or memory: trying again at once would only spin.
bool is_shortage(const boost::system::error_code& error) {
    return error == boost::system::errc::too_many_files_open || error == boost::system::errc::too_many_files_open_in_system ||
           error == boost::system::errc::no_buffer_space || error == boost::system::errc::not_enough_memory;
}

Error cannot_listen(const config::Listen& listen, const boost::system::error_code& error) {
    const std::string place = listen.address + ":" + std::to_string(listen.port);
    return Error::of(Fault::internal, "Cannot listen on " + place + ": " + error.message());
}

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
    State(asio::io_context& io, ServerOptions options, Handler& handler, events::Observer& observer)
        : context(io, std::move(options), handler, observer), acceptor(io) {
        sessions.emplace(io, observer);
        accepting.emplace(io, observer);
    }

    boost::system::error_code listen(const asio::ip::tcp::endpoint& at) {
        boost::system::error_code error;
        acceptor.open(at.protocol(), error);
        if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
        if (!error) acceptor.set_option(ReusePort(true), error);
        if (!error) acceptor.set_option(asio::ip::tcp::no_delay(true), error);  // accepted sockets inherit it
        if (!error) acceptor.bind(at, error);
        if (!error) acceptor.listen(backlog, error);
        return error;
    }

    // The state is an argument so that the coroutine keeps it.
    static asio::awaitable<void> accept(std::shared_ptr<State> state) {
        while (state->acceptor.is_open()) {
            Socket socket(state->context.io);
            asio::ip::tcp::endpoint peer;
            const auto [error] = co_await state->acceptor.async_accept(socket, peer, use_tuple);
            if (!error) {
                state->begin(std::move(socket), peer);
            } else if (is_shortage(error)) {
                co_await net::sleep_for(accept_pause);
            }
        }
    }

    // Connections that the system has made and nobody has taken yet would be reset with the listening socket.
    void take_waiting() {
        boost::system::error_code error;
        acceptor.listen(0, error);  // the queue grows no longer
        acceptor.non_blocking(true, error);
        while (!error) {
            Socket socket(context.io);
            asio::ip::tcp::endpoint peer;
            acceptor.accept(socket, peer, error);
            if (!error) begin(std::move(socket), peer);
        }
    }

    void begin(Socket socket, const asio::ip::tcp::endpoint& peer) {
        const std::size_t limit = context.options.http.connections_max;
        if (context.sessions.size() >= limit + turned_away_max) return;  // the socket closes here
        const bool welcome = context.sessions.size() < limit;
        const std::shared_ptr<SessionContext> shared(shared_from_this(), &context);
        auto session = std::make_unique<Session>(shared, std::move(socket), address_of(peer));
        net::TaskGroup::One** const task = &session->task;
        sessions->spawn("http.session", serve(std::move(session), welcome), task);
    }

    static asio::awaitable<void> serve(std::unique_ptr<Session> session, bool welcome) {
        if (welcome) {
            co_await session->run();
            co_return;
        }
        Error error = Error::of(Fault::overloaded, "Too many connections are open").with_header("Retry-After", "1");
        co_await session->turn_away(std::move(error));
    }

    SessionContext context;
    Acceptor acceptor;
    std::optional<net::TaskGroup> sessions, accepting;
};

Server::Server(asio::io_context& context, ServerOptions options, Handler& handler, events::Observer& observer)
    : state_(std::make_shared<State>(context, std::move(options), handler, observer)) {}

Server::~Server() {
    stop_accepting();
    abort();
    state_->sessions.reset();
    state_->accepting.reset();
    state_->context.watchdog.stop();
    state_->context.options.emit_requests = false;  // sessions that are still ending may outlive the observer
}

Result<std::uint16_t> Server::open() {
    const config::Listen& listen = state_->context.options.listen;
    boost::system::error_code error;
    const auto address = asio::ip::make_address(listen.address, error);
    if (!error) error = state_->listen({address, listen.port});
    if (error) return cannot_listen(listen, error);
    const auto bound = state_->acceptor.local_endpoint(error);
    if (error) return cannot_listen(listen, error);
    return bound.port();
}

void Server::start() { state_->accepting->spawn("http.accept", State::accept(state_)); }

void Server::stop_accepting() {
    state_->take_waiting();
    boost::system::error_code ignored;
    state_->acceptor.close(ignored);
}

void Server::renew(std::shared_ptr<const Tls> tls) {
    if (state_->context.options.tls) state_->context.options.tls = std::move(tls);
}

void Server::drain() {
    state_->context.draining = true;
    for (Session* session : state_->context.sessions) session->drain();
}

asio::awaitable<bool> Server::drained(Deadline deadline) {
    const auto state = state_;
    co_return co_await state->sessions->wait(deadline);
}

void Server::abort() {
    state_->context.aborted = true;
    for (Session* session : state_->context.sessions) session->cut();
    state_->sessions->cancel();
}

std::size_t Server::connections() const { return state_->context.sessions.size(); }

}  // namespace millrace::http

// Opens a libpq connection step by step as its socket becomes ready, and closes it.
#include "connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

namespace millrace::pg {
namespace {

Error unavailable(std::string details) {
    return Error::of(Fault::database_unavailable).with_details(std::move(details)).with_header("Retry-After", "1");
}

// As unavailable(), with the SQLSTATE as its code.
Error refused(const PGresult* result, std::string details) {
    Error made = unavailable(std::move(details));
    const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state != nullptr) made.code = state;
    return made;
}

using Connecting = std::unique_ptr<PGconn, decltype(&PQfinish)>;

// What is named before the URL's own parameters may be overridden by them, what is named after them may not.
Connecting start(const Parameters& parameters) {
    // A peer that is gone without a word is noticed in this time; it also bounds PQcancel.
    std::vector<const char*> keywords = {"fallback_application_name", "tcp_user_timeout", "keepalives_idle"};
    std::vector<const char*> values = {"millrace", "10000", "10"};
    for (const auto& [keyword, value] : parameters) {
        keywords.push_back(keyword.c_str());
        values.push_back(value.c_str());
    }
    keywords.insert(keywords.end(), {"client_encoding", nullptr});
    values.insert(values.end(), {"UTF8", nullptr});
    return {PQconnectStartParams(keywords.data(), values.data(), 0), &PQfinish};
}

}  // namespace

asio::awaitable<Result<void>> Connection::open(const std::string& url, const std::string& setup, Duration timeout) {
    using namespace asio::experimental::awaitable_operators;
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, timeout);
    // As a tuple: when the whole is cancelled, the timer's end is a plain value and not one of two exceptions.
    auto race = greet(url, setup) || timer.async_wait(asio::as_tuple(asio::use_awaitable));
    auto outcome = co_await std::move(race);
    if (outcome.index() == 1) {
        close();
        co_return unavailable("timed out");
    }
    auto greeted = std::get<0>(std::move(outcome));
    if (!greeted) close();
    co_return greeted;
}

asio::awaitable<Result<void>> Connection::greet(std::string url, std::string setup) {
    auto parameters = co_await resolve(url);
    if (!parameters) co_return std::move(parameters).error();
    if (use_ == Use::replication) parameters->emplace_back("replication", "database");
    connection_.reset(start(*parameters).release());
    if (!connection_) co_return unavailable("out of memory");
    auto connected = co_await handshake();
    if (!connected || setup.empty()) co_return connected;
    auto answer = co_await command(std::move(setup));
    if (!answer) co_return std::move(answer).error();
    co_return Result<void>();
}

// libpq may close one socket and open another while it polls, perhaps with the same number: the reactor is told anew each time.
asio::awaitable<Result<void>> Connection::handshake() {
    auto* const connection = connection_.get();
    const auto ignore = [](void*, const PGresult*) {};
    PQsetNoticeReceiver(connection, ignore, nullptr);
    auto polled = PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (polled == PGRES_POLLING_READING || polled == PGRES_POLLING_WRITING) {
        attach();
        co_await readable_or_writable(polled == PGRES_POLLING_READING);
        detach();
        polled = PQconnectPoll(connection);
    }
    if (polled != PGRES_POLLING_OK) co_return unavailable(error());
    attach();
    if (PQsetnonblocking(connection, 1) != 0) co_return unavailable(error());
    co_return Result<void>();
}

asio::awaitable<void> Connection::readable_or_writable(bool reading) {
    const auto direction = reading ? asio::posix::stream_descriptor::wait_read : asio::posix::stream_descriptor::wait_write;
    co_await socket_.async_wait(direction, asio::use_awaitable);
}

asio::awaitable<Result<std::string>> Connection::command(std::string sql) {
    auto answer = co_await query(std::move(sql));
    if (!answer) co_return std::move(answer).error();
    const bool has_cell = *answer && PQntuples(answer->get()) > 0;
    co_return std::string(has_cell ? PQgetvalue(answer->get(), 0, 0) : "");
}

asio::awaitable<Result<ResultPointer>> Connection::query(std::string sql) {
    auto* const connection = connection_.get();
    if (PQsendQuery(connection, sql.c_str()) == 0) co_return unavailable(error());
    auto sent = co_await flush();
    if (!sent) co_return std::move(sent).error();
    ResultPointer last;
    std::optional<Error> problem;
    while (true) {
        while (PQisBusy(connection) == 1) {
            co_await readable_or_writable(true);
            if (PQconsumeInput(connection) == 0) co_return unavailable(error());
        }
        ResultPointer result(PQgetResult(connection));
        if (!result) break;
        if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) problem = refused(result.get(), error());
        last = std::move(result);
        if (PQresultStatus(last.get()) == PGRES_COPY_BOTH) break;
    }
    if (problem) co_return *std::move(problem);
    co_return last;
}

asio::awaitable<Result<void>> Connection::flush() {
    int left = PQflush(connection_.get());
    while (left == 1) {
        co_await readable_or_writable(false);
        left = PQflush(connection_.get());
    }
    if (left != 0) co_return unavailable(error());
    co_return Result<void>();
}

void Connection::attach() {
    boost::system::error_code ignored;
    socket_.assign(PQsocket(connection_.get()), ignored);
}

void Connection::detach() {
    if (socket_.is_open()) socket_.release();
}

// The reactor must forget the descriptor before libpq closes it.
void Connection::close() {
    detach();
    connection_.reset();
}

std::string Connection::error() const {
    std::string text = connection_ ? PQerrorMessage(connection_.get()) : "out of memory";
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

}  // namespace millrace::pg

// Asks one question at a time, and gives the connection up when an answer does not come in time.
#include "asker.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <utility>

namespace millrace::pg {
namespace {

class Turn {
public:
    Turn(bool& busy, net::Signal& freed) : busy_(busy), freed_(freed) { busy_ = true; }
    ~Turn() {
        busy_ = false;
        freed_.notify_all();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

private:
    bool& busy_;
    net::Signal& freed_;
};

std::vector<std::string> first_row(const PGresult* result) {
    std::vector<std::string> cells;
    if (result == nullptr || PQntuples(result) == 0) return cells;
    for (int column = 0; column < PQnfields(result); ++column) cells.emplace_back(PQgetvalue(result, 0, column));
    return cells;
}

Error late() { return Error::of(Fault::database_unavailable).with_details("Postgres did not answer in time"); }

}  // namespace

asio::awaitable<Result<void>> Asker::open(const std::string& url, const std::string& setup) {
    co_return co_await connection_.open(url, setup, default_within);
}

asio::awaitable<Result<std::vector<std::string>>> Asker::ask(std::string sql, Duration within) {
    using namespace asio::experimental::awaitable_operators;
    const Deadline deadline{net::now() + within};
    while (busy_) {
        const bool woken = co_await freed_.wait(deadline);
        if (!woken) co_return late();
    }
    const Turn turn(busy_, freed_);
    if (connection_.get() == nullptr) co_return late();
    auto race = connection_.query(std::move(sql)) || net::sleep_for(within);
    auto outcome = co_await std::move(race);
    if (outcome.index() == 1) {
        connection_.close();
        co_return late();
    }
    auto answer = std::get<0>(std::move(outcome));
    if (!answer) {
        connection_.close();
        co_return std::move(answer).error();
    }
    co_return first_row(answer->get());
}

}  // namespace millrace::pg

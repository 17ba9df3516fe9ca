// Lets the control thread wait for a purge without blocking.
#include "purger.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "millrace/io/net.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {
namespace {

constexpr unsigned waiting_max = 16;
constexpr Duration patience = std::chrono::seconds(30);

struct Outcome {
    explicit Outcome(boost::asio::io_context& control) : there(control) {}
    net::Signal there;
    std::optional<Result<std::string>> result;
};

}  // namespace

boost::asio::awaitable<Result<std::string>> Purger::purge(std::vector<std::string> tags) {
    if (waiting_ >= waiting_max) co_return Error::of(Fault::overloaded).with_header("Retry-After", "1");
    ++waiting_;
    const auto outcome = std::make_shared<Outcome>(control_);
    auto work = [&control = control_, url = url_, tags = std::move(tags), outcome] {
        auto result = pg::purge(url, tags);
        auto tell = [outcome, result = std::move(result)] {
            outcome->result = result;
            outcome->there.notify_all();
        };
        boost::asio::post(control, std::move(tell));
    };
    boost::asio::post(blocking_, std::move(work));
    const Deadline deadline{net::now() + patience};
    while (!outcome->result) {
        const bool told = co_await outcome->there.wait(deadline);
        if (!told) break;
    }
    --waiting_;
    if (!outcome->result) co_return Error::of(Fault::deadline_passed);
    co_return *std::move(outcome->result);
}

}  // namespace millrace::app

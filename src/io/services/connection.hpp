// One connection to an address of a service: sends a request, gives what comes back. Never used again once anything failed.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "millrace/core/upstream.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/services.hpp"
#include "report.hpp"

namespace millrace::services {

using upstream::Failure;
using Trouble = std::optional<Failure>;  // nothing: it went well

class Connection final : public net::Watched {
public:
    Connection(asio::io_context& context, net::Watchdog& watchdog);
    ~Connection() override;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // `authorities`: those of an address that is encrypted.
    [[nodiscard]] asio::awaitable<Trouble> open(const url::Url& address, const routes::Authorities* authorities,
                                                Deadline limit);
    [[nodiscard]] const std::string& complaint() const { return complaint_; }  // why it could not be opened, in words
    void count(std::shared_ptr<const Report> report) { standing_.emplace(std::move(report)); }  // among those that are open
    [[nodiscard]] asio::awaitable<Trouble> send(const std::string& head, std::string_view body, Deadline limit);
    // The final head; those before it are passed over. `begun`: a byte of it has come.
    struct Received {
        Trouble trouble;
        upstream::Head head;
        bool begun = false;
    };
    [[nodiscard]] asio::awaitable<Received> read_head(message::Method asked, const routes::UpstreamPolicy& policy,
                                                      Deadline limit);
    // From now on until read_head(): an answer that comes, or an end, ends a send() that is underway, and `came` is called
    // once. `policy` lives as long.
    void watch_for_answer(message::Method asked, const routes::UpstreamPolicy& policy, std::function<void()> came);
    // Has it come? What the socket has at this moment counts.
    [[nodiscard]] bool answered();
    // Adds to what is there; `ended`: the other side has closed.
    struct More {
        Trouble trouble;
        bool ended = false;
    };
    [[nodiscard]] asio::awaitable<More> receive(Deadline limit);
    [[nodiscard]] std::string& there() { return in_; }

    void rest(Deadline until);  // nobody uses it; closed when that has passed
    [[nodiscard]] bool wake();  // whether it can be used still
    void expire() override;

private:
    using Reading = std::tuple<boost::system::error_code, std::size_t>;
    struct Heads {
        int count = 0;
        bool begun = false;
    };
    struct Early {
        message::Method asked;
        const routes::UpstreamPolicy& policy;
        std::function<void()> came;
        Heads heads;
        std::optional<Received> received;
    };

    void begin(Deadline limit);
    [[nodiscard]] Failure failure() const { return expired_ ? Failure::timed_out : Failure::lost; }
    [[nodiscard]] asio::awaitable<boost::system::error_code> connect(const url::Url& address);
    [[nodiscard]] asio::awaitable<boost::system::error_code> secure(const std::string& host,
                                                                    const routes::Authorities* authorities);
    [[nodiscard]] asio::awaitable<boost::system::error_code> wait();
    [[nodiscard]] asio::awaitable<boost::system::error_code> write_encrypted(std::string_view bytes);
    [[nodiscard]] asio::awaitable<Reading> read_encrypted();

    [[nodiscard]] std::optional<Received> take_head(message::Method asked, const routes::UpstreamPolicy& policy, Heads& heads);
    // early_answer.cpp
    [[nodiscard]] std::shared_ptr<Early> stop_watching();
    void await_early();
    void look();
    [[nodiscard]] std::size_t read_now(boost::system::error_code& error);

    asio::ip::tcp::resolver resolver_;
    asio::ip::tcp::socket socket_;
    std::optional<net::Encryption> encryption_;  // nothing: the connection is plain
    std::optional<Standing> standing_;
    std::unique_ptr<net::Watchdog::Handle> watch_;
    std::string in_, piece_, complaint_;
    std::shared_ptr<Early> early_;  // while an answer is watched for
    bool expired_ = false;
};

}  // namespace millrace::services

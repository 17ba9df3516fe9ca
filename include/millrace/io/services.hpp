// HTTP services behind routes: a client for them, one per worker. Connections are kept and bounded, addresses are chosen and
// checked, and what fails is tried elsewhere as the rules of core/upstream allow.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"
#include "millrace/core/routes.hpp"
#include "millrace/core/upstream.hpp"

namespace millrace::net {
class Source;
}

namespace millrace::services {

namespace asio = boost::asio;

// What is still to come of an answer. Its connection is closed when it goes before its end.
class Body {
public:
    virtual ~Body() = default;
    // Appends what comes next; false: that was the last of it. What ends early or comes too late is an error.
    [[nodiscard]] virtual asio::awaitable<Result<bool>> next(std::string& out) = 0;
};

// PEM; without a file those of the system (SSL_CERT_FILE). Blocks. Fails with what is wrong with the file.
[[nodiscard]] Result<std::shared_ptr<const routes::Authorities>> read_authorities(const std::string& ca_file);

struct Answer {
    upstream::Head head;
    std::unique_ptr<Body> body;  // nothing: there is none
};

// A request's body that is sent while it comes: what is there of it, then what its source gives.
struct Upload {
    std::string first;
    net::Source* rest = nullptr;        // outlives the call
    std::uint64_t bytes_per_s_min = 0;  // see upstream::upload_deadline
};

// On one thread. It must outlive the answers that it gave.
class Services {
public:
    Services(asio::io_context& context, const config::LimitSettings& limits, events::Observer& observer);
    ~Services();
    Services(const Services&) = delete;
    Services& operator=(const Services&) = delete;

    // From now on these are the services. Those that are as before keep their connections and what is known of them.
    void adopt(const routes::Versions& versions);
    // Fails with upstream_unavailable, upstream_failed, upstream_timed_out or circuit_open. Cancelled when the caller is.
    [[nodiscard]] asio::awaitable<Result<Answer>> call(const routes::ApiCatalog& api, const upstream::Sending& sending,
                                                       Deadline deadline);
    // The same with a body of sending.streams. It also fails with what the source failed with. An answer that comes before all
    // of the body was sent ends its reading.
    [[nodiscard]] asio::awaitable<Result<Answer>> call(const routes::ApiCatalog& api, const upstream::Sending& sending,
                                                       Deadline deadline, Upload upload);
    void stop();  // checks end, and connections that nobody uses; what is underway goes on

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace millrace::services

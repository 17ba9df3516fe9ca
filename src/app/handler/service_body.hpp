// The body of a service's answer on its way to the client.
#pragma once

#include <memory>
#include <string>

#include "counted_body.hpp"
#include "millrace/io/services.hpp"

namespace millrace::app {

class ServiceBody final : public CountedBody {
public:
    // `first`: what of it is there already.
    ServiceBody(std::string first, std::unique_ptr<services::Body> rest, http::Trace& trace);

    [[nodiscard]] http::asio::awaitable<Part> next(std::string& out) override;

private:
    std::string first_;
    std::unique_ptr<services::Body> rest_;
    http::Trace& trace_;
};

}  // namespace millrace::app

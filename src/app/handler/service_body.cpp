// Hands on what comes, as it comes.
#include "service_body.hpp"

#include <utility>

namespace millrace::app {

ServiceBody::ServiceBody(std::string first, std::unique_ptr<services::Body> rest, http::Trace& trace)
    : first_(std::move(first)), rest_(std::move(rest)), trace_(trace) {}

http::asio::awaitable<http::BodySource::Part> ServiceBody::next(std::string& out) {
    if (!first_.empty()) {
        out += std::exchange(first_, {});
        co_return Part::more;
    }
    auto more = co_await rest_->next(out);
    if (more) co_return *more ? Part::more : Part::end;
    trace_.error_code = more.error().code;
    co_return Part::broken;
}

}  // namespace millrace::app

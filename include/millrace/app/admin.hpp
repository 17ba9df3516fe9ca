// The admin listener: metrics, liveness, readiness with reasons, and the configuration with its secrets masked.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "millrace/io/http.hpp"

namespace millrace::app {

struct Readiness {
    bool ready = false;
    std::vector<std::pair<std::string, std::string>> checks;  // "database" → "up"
};

// What the listener shows; called on the control thread.
struct AdminView {
    std::function<std::string()> metrics;
    std::function<Readiness()> readiness;
    std::function<std::string()> config_json;
};

class AdminHandler final : public http::Handler {
public:
    explicit AdminHandler(AdminView view) : view_(std::move(view)) {}
    [[nodiscard]] std::uint64_t body_bytes_max(const message::Request& head) const override;
    [[nodiscard]] http::asio::awaitable<http::Outgoing> handle(const message::Request& request, http::Trace& trace) override;

private:
    AdminView view_;
};

}  // namespace millrace::app

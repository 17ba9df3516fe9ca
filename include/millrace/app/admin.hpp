// The admin listener: metrics, liveness, readiness with reasons, the configuration with its secrets masked, and the cache: what
// is in it, and purges.
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

struct PurgeOrder {
    std::vector<std::string> tags;  // with '!' in front when hard
    std::string scope;              // "tags", "route", "version", "all"
    bool hard = false;              // gone at once; else it may still be given where the route allows stale answers
};

// What the listener shows and does; called on the control thread.
struct AdminView {
    std::function<std::string()> metrics;
    std::function<Readiness()> readiness;
    std::function<std::string()> config_json;
    std::function<std::string()> cache_json;
    std::function<http::asio::awaitable<Result<std::string>>(PurgeOrder)> purge;  // its xid
};

class AdminHandler final : public http::Handler {
public:
    // `token`: that a bearer must have, but for /livez and /readyz; empty: nobody is asked.
    AdminHandler(AdminView view, std::string token) : view_(std::move(view)), token_(std::move(token)) {}
    [[nodiscard]] http::BodyRule body_rule(const message::Request& head) const override;
    [[nodiscard]] http::Answer answer(const message::Request& request, http::Trace& trace, net::Source* body) override;

private:
    [[nodiscard]] bool knows(const message::Request& request) const;
    [[nodiscard]] http::asio::awaitable<http::Outgoing> purge(const message::Request& request);

    AdminView view_;
    std::string token_;
};

}  // namespace millrace::app

// A command as it is sent, and again where it must be.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "node.hpp"

namespace millrace::redis {

struct Request {
    struct BySource {
        std::string bytes, sha1;
    };
    std::string bytes;
    std::shared_ptr<const BySource> by_source;  // of a script, for a server that does not know it yet
};

// Nothing when it is too large.
[[nodiscard]] std::optional<Request> request_of(std::span<const std::string_view> arguments);
[[nodiscard]] std::optional<Request> request_of(const Script& script, std::span<const std::string_view> keys,
                                                std::span<const std::string_view> arguments);

// Why it cannot be sent there now; nothing when it can.
[[nodiscard]] std::optional<Error> refusal(Node& node, Deadline deadline);

// Sends it and waits for its reply; with its source once more when the server has forgotten the script.
[[nodiscard]] asio::awaitable<Result<Value>> answer_of(std::shared_ptr<Connection> connection, Request request,
                                                       Deadline deadline);
// Sends it; `call` may be nothing.
void send_to(Connection& connection, const Request& request, CallPointer call);

}  // namespace millrace::redis

// The body of a request on its way to a service, as it comes.
#pragma once

#include <optional>
#include <string>

#include "connection.hpp"

namespace millrace::services {

class Passing {
public:
    Passing(Upload upload, bool chunked);

    struct Patience {
        Duration of_a_piece;  // with the service; that with the client is its source's
        Deadline deadline;
        [[nodiscard]] Deadline limit() const;
    };
    struct Sent {
        Trouble trouble;
        std::optional<Error> refused;  // what its source failed with
        bool whole = false;
    };
    // Head and body, on a connection that watches for an answer: one that comes before all is sent ends it without trouble.
    [[nodiscard]] asio::awaitable<Sent> send(Connection& connection, std::string head, Patience patience);
    void interrupt() { source_.interrupt(); }
    // Can it be sent once more? Only the first piece is held.
    [[nodiscard]] bool repeatable() const { return pieces_ <= 1; }

private:
    [[nodiscard]] asio::awaitable<std::optional<Error>> take_piece(Deadline deadline);
    void hold(std::string& piece);

    net::Source& source_;
    bool chunked_;
    bool more_ = true;
    unsigned pieces_ = 0;         // that were taken
    std::string before_, piece_;  // the last of them, and what its framing puts before it
    std::string next_;            // for its memory's sake
};

}  // namespace millrace::services

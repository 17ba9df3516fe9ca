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
        Deadline deadline;    // of all, as far as nothing is sent yet
    };
    struct Sent {
        Trouble trouble;
        std::optional<Error> refused;  // what its source failed with
        bool whole = false;
    };
    // Head and body, on a connection that watches for an answer: one that comes before all is sent ends it without trouble.
    [[nodiscard]] asio::awaitable<Sent> send(Connection& connection, std::string head, Patience patience);
    // Until when the service is waited for next.
    [[nodiscard]] Deadline limit(const Patience& patience) const;
    void interrupt() { source_.interrupt(); }
    // Can it be sent once more? Only the first piece is held.
    [[nodiscard]] bool repeatable() const { return pieces_ <= 1; }

private:
    [[nodiscard]] Deadline moved(Deadline deadline) const;
    [[nodiscard]] asio::awaitable<std::optional<Error>> take_piece(Deadline deadline);
    void hold(std::string& piece);

    net::Source& source_;
    const std::uint64_t bytes_per_s_min_;
    std::uint64_t taken_ = 0;  // bytes
    bool chunked_;
    bool more_ = true;
    unsigned pieces_ = 0;         // that were taken
    std::string before_, piece_;  // the last of them, and what its framing puts before it
    std::string next_;            // for its memory's sake
};

}  // namespace millrace::services

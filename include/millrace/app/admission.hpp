// How much may come in: requests in flight and the rate of each client address, per worker.
#pragma once

#include <cstdint>
#include <string_view>

#include "millrace/core/base.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/policy.hpp"

namespace millrace::app {

// One thread.
class Admission {
public:
    explicit Admission(const config::LimitSettings& settings);

    // A request that was admitted; it counts as in flight until this goes.
    class Ticket {
    public:
        explicit Ticket(std::uint64_t& in_flight) : in_flight_(&in_flight) { ++*in_flight_; }
        Ticket(Ticket&& other) noexcept : in_flight_(std::exchange(other.in_flight_, nullptr)) {}
        Ticket& operator=(Ticket&&) = delete;
        ~Ticket() {
            if (in_flight_ != nullptr) --*in_flight_;
        }

    private:
        std::uint64_t* in_flight_;
    };

    // rate_limited (429, Retry-After).
    [[nodiscard]] Result<Ticket> admit(std::string_view peer, TimePoint now);
    // Whoever has a ticket and cannot be answered at once is refused: overloaded (503, Retry-After).
    [[nodiscard]] bool full() const { return in_flight_ > in_flight_max_; }
    [[nodiscard]] static Error refusal();

private:
    std::uint64_t in_flight_max_, in_flight_ = 0;
    bool rate_limited_;
    policy::RateLimiter rates_;
};

}  // namespace millrace::app

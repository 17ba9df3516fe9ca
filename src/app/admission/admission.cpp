// Decides at the door: a request beyond the limits is refused before anything is spent on it. What is answered from memory at
// once is always answered.
#include "millrace/app/admission.hpp"

#include <algorithm>
#include <chrono>

namespace millrace::app {
namespace {

constexpr std::size_t addresses_max = 10'000;

std::string seconds_up(Duration duration) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
    return std::to_string(std::max<std::int64_t>(seconds, 1));
}

}  // namespace

Admission::Admission(const config::LimitSettings& settings)
    : in_flight_max_(settings.requests_in_flight_max),
      rate_limited_(settings.rate_per_s > 0),
      rates_(std::max<std::uint64_t>(settings.rate_per_s, 1), std::max<std::uint64_t>(settings.rate_burst, 1), addresses_max) {}

Result<Admission::Ticket> Admission::admit(std::string_view peer, TimePoint now) {
    if (rate_limited_)
        if (const policy::Verdict verdict = rates_.take(peer, now); !verdict.allowed)
            return Error::of(Fault::rate_limited).with_header("Retry-After", seconds_up(verdict.retry_after));
    return Ticket(in_flight_);
}

Error Admission::refusal() { return Error::of(Fault::overloaded).with_header("Retry-After", "1"); }

}  // namespace millrace::app

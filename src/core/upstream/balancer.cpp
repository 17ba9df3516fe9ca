// Decides which address of a service is asked, and whether another one is.
#include <algorithm>

#include "millrace/core/upstream.hpp"

namespace millrace::upstream {

using message::Method;

Balancer::Balancer(std::size_t addresses, unsigned failures_max, Duration open_for)
    : states_(addresses, State{policy::Breaker(failures_max, open_for)}) {}

Balancer::Choice Balancer::choose(const std::vector<bool>& tried, bool may_fail, TimePoint now) {
    std::optional<std::size_t> best;
    bool any_checked_well = false;
    ++turn_;
    for (std::size_t step = 0; step < states_.size(); ++step) {
        const std::size_t at = (turn_ + step) % states_.size();
        State& state = states_[at];
        any_checked_well = any_checked_well || state.checked_well;
        if (!state.checked_well || (at < tried.size() && tried[at])) continue;
        if (state.breaker.open()) {
            if (may_fail && state.breaker.allows(now)) return {at, {}};
            continue;
        }
        if (!best || state.pending < states_[*best].pending) best = at;
    }
    if (best) return {best, {}};
    // Nobody else is there: whoever asks is the one who finds out.
    for (std::size_t at = 0; at < states_.size(); ++at)
        if (states_[at].checked_well && !(at < tried.size() && tried[at]) && states_[at].breaker.allows(now)) return {at, {}};
    return {std::nullopt, any_checked_well ? None::open : None::down};
}

bool is_idempotent(Method method) { return method != Method::post && method != Method::patch; }

// What came too late has had its time; what is no HTTP was made by somebody.
bool may_retry(Method method, Failure failure, std::uint64_t retries, std::uint64_t retries_max) {
    if (retries >= retries_max) return false;
    return failure == Failure::connect || (failure == Failure::lost && is_idempotent(method));
}

bool counts_as_failure(int status) { return status == 502 || status == 503 || status == 504; }

}  // namespace millrace::upstream

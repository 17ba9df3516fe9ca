// Decides how long to wait before the next attempt.
#include <algorithm>

#include "millrace/core/policy.hpp"

namespace millrace::policy {

Duration Backoff::next(double random) {
    Duration ceiling = std::min(first_, most_);
    for (unsigned i = 0; i < attempt_ && ceiling < most_; ++i) ceiling = ceiling > most_ / 2 ? most_ : ceiling * 2;
    if (ceiling < most_) ++attempt_;
    const double share = std::clamp(random, 0.0, 1.0);
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double, Duration::period>(ceiling) * share);
}

}  // namespace millrace::policy

// Decides whether to try something that has failed lately.
#include <algorithm>

#include "millrace/core/policy.hpp"

namespace millrace::policy {

bool Breaker::allows(TimePoint now) {
    if (!open_) return true;
    if (now - opened_ < open_for_) return false;
    opened_ = now;
    probing_ = true;
    return true;
}

void Breaker::succeeded() {
    if (open_ && !probing_) return;  // sent before it opened: says nothing about now
    failures_ = 0;
    open_ = probing_ = false;
}

void Breaker::failed(TimePoint now) {
    if (open_ && !probing_) return;
    ++failures_;
    if (!probing_ && failures_ < std::max(failures_max_, 1U)) return;
    open_ = true;
    probing_ = false;
    opened_ = now;
}

}  // namespace millrace::policy

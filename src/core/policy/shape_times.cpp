// Decides from measured times which shapes of statements are cheap.
#include "millrace/core/policy.hpp"

namespace millrace::policy {
namespace {

constexpr unsigned measured_enough = 3;
constexpr double newest_share = 0.25;  // an outlier moves a shape away at once, and a few quick runs bring it back

}  // namespace

void ShapeTimes::record(std::uint64_t shape, Duration took) {
    const double micros = std::chrono::duration<double, std::micro>(took).count();
    Average& known = average(shape);
    known.micros = known.count == 0 ? micros : known.micros + (micros - known.micros) * newest_share;
    if (known.count < measured_enough) ++known.count;
}

bool ShapeTimes::cheap(std::uint64_t shape, Duration limit) const {
    const auto in = [&](const Averages& averages) {
        const auto found = averages.find(shape);
        return found == averages.end() ? nullptr : &found->second;
    };
    const Average* known = in(young_);
    if (known == nullptr) known = in(old_);
    return known != nullptr && known->count >= measured_enough &&
           known->micros <= std::chrono::duration<double, std::micro>(limit).count();
}

ShapeTimes::Average& ShapeTimes::average(std::uint64_t shape) {
    if (const auto found = young_.find(shape); found != young_.end()) return found->second;
    if ((young_.size() + 1) * 2 > shapes_max_ && !young_.empty()) {
        old_ = std::move(young_);
        young_.clear();
    }
    const auto before = old_.find(shape);
    return young_.emplace(shape, before == old_.end() ? Average{} : before->second).first->second;
}

}  // namespace millrace::policy

// Whether a version was still current at a time.
#include "history.hpp"

namespace millrace::sim {

History::History() {
    known_.push_back({true, false});
    for (auto& points : points_) points.push_back({0, 0});
}

void History::becomes_current(std::size_t cell, Version version, Ms now) {
    known_[version].visible = true;
    points_[cell].push_back({now, version});
}

bool History::current_since(std::size_t cell, Version version, Ms since) const {
    if (!known_[version].visible) return !known_[version].lost;
    const auto& points = points_[cell];
    for (auto point = points.rbegin(); point != points.rend(); ++point) {
        if (point->version == version) return true;
        if (point->from <= since) return false;
    }
    return false;
}

}  // namespace millrace::sim

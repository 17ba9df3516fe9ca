// What was true when: the versions of every cell, and which of them a failover or a crash lost.
#pragma once

#include <array>
#include <vector>

#include "agenda.hpp"
#include "shop.hpp"

namespace millrace::sim {

class History {
public:
    History();

    // In the order of the log, which is the order of each cell's versions, for its row is locked until it is visible.
    Version commit() {
        known_.push_back({});
        return static_cast<Version>(known_.size() - 1);
    }
    void becomes_current(std::size_t cell, Version version, Ms now);
    void lose(Version version) { known_[version].lost = true; }

    [[nodiscard]] bool lost(Version version) const { return known_[version].lost; }
    // Whether it was current at some time from `since` on. One that is in the log but not visible yet is newer than that.
    [[nodiscard]] bool current_since(std::size_t cell, Version version, Ms since) const;

private:
    struct Known {
        bool visible = false, lost = false;
    };
    struct Point {
        Ms from;
        Version version;
    };
    std::array<std::vector<Point>, cells> points_;
    std::vector<Known> known_;
};

}  // namespace millrace::sim

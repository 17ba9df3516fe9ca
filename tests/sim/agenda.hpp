// What is to happen, in the order of simulated time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "millrace/core/base.hpp"

namespace millrace::sim {

using Ms = std::int64_t;  // since the simulation began

inline TimePoint steady(Ms now) { return TimePoint(std::chrono::milliseconds(now)); }

class Agenda {
public:
    [[nodiscard]] Ms now() const { return now_; }
    void after(Ms delay, std::function<void()> what) {
        events_.push_back({now_ + std::max<Ms>(delay, 0), ++count_, std::move(what)});
        std::push_heap(events_.begin(), events_.end(), later);
    }
    // False when nothing is left that happens before `end`.
    bool step(Ms end) {
        if (events_.empty() || events_.front().at >= end) return false;
        std::pop_heap(events_.begin(), events_.end(), later);
        const Event event = std::move(events_.back());
        events_.pop_back();
        now_ = event.at;
        event.what();
        return true;
    }

private:
    struct Event {
        Ms at = 0;
        std::uint64_t number = 0;
        std::function<void()> what;
    };
    static bool later(const Event& a, const Event& b) { return std::pair(a.at, a.number) > std::pair(b.at, b.number); }

    Ms now_ = 0;
    std::uint64_t count_ = 0;
    std::vector<Event> events_;
};

}  // namespace millrace::sim

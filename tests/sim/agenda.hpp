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

// Whose events they are. What happens in a process that is stopped happens when it goes on, in no certain order.
struct Process {
    bool dead = false;
    Ms stopped_until = 0;
};

class Agenda {
public:
    [[nodiscard]] Ms now() const { return now_; }
    // `process` may be nothing; it must live as long as the agenda.
    void after(Ms delay, const Process* process, std::function<void()> what) {
        push({now_ + std::max<Ms>(delay, 0), ++count_, process, std::move(what)});
    }
    // False when nothing is left that happens before `end`.
    bool step(Ms end) {
        if (events_.empty() || events_.front().at >= end) return false;
        std::pop_heap(events_.begin(), events_.end(), later);
        Event event = std::move(events_.back());
        events_.pop_back();
        now_ = event.at;
        if (event.process == nullptr || (!event.process->dead && event.process->stopped_until <= now_)) {
            event.what();
        } else if (!event.process->dead) {
            event.at = event.process->stopped_until + static_cast<Ms>(event.number * 7 % 20);
            push(std::move(event));
        }
        return true;
    }

private:
    struct Event {
        Ms at = 0;
        std::uint64_t number = 0;
        const Process* process = nullptr;
        std::function<void()> what;
    };
    void push(Event event) {
        events_.push_back(std::move(event));
        std::push_heap(events_.begin(), events_.end(), later);
    }
    static bool later(const Event& a, const Event& b) { return std::pair(a.at, a.number) > std::pair(b.at, b.number); }

    Ms now_ = 0;
    std::uint64_t count_ = 0;
    std::vector<Event> events_;
};

}  // namespace millrace::sim

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
        push({now_ + std::max<Ms>(delay, 0), ++count_, place_for({process, std::move(what)})});
    }
    // False when nothing is left that happens before `end`.
    bool step(Ms end) {
        if (times_.empty() || times_.front().at >= end) return false;
        std::pop_heap(times_.begin(), times_.end(), later);
        Time time = times_.back();
        times_.pop_back();
        now_ = time.at;
        const Process* const process = events_[time.place].process;
        if (process != nullptr && !process->dead && process->stopped_until > now_) {
            time.at = process->stopped_until + static_cast<Ms>(time.number * 7 % 20);
            push(time);
            return true;
        }
        const Event event = std::exchange(events_[time.place], {});
        free_.push_back(time.place);
        if (process == nullptr || !process->dead) event.what();
        return true;
    }

private:
    struct Event {
        const Process* process = nullptr;
        std::function<void()> what{};
    };
    // What the heap moves about is small; the events stay where they are.
    struct Time {
        Ms at = 0;
        std::uint64_t number = 0;
        std::size_t place = 0;  // in events_
    };
    void push(const Time& time) {
        times_.push_back(time);
        std::push_heap(times_.begin(), times_.end(), later);
    }
    std::size_t place_for(Event event) {
        if (free_.empty()) {
            events_.push_back(std::move(event));
            return events_.size() - 1;
        }
        const std::size_t place = free_.back();
        free_.pop_back();
        events_[place] = std::move(event);
        return place;
    }
    static bool later(const Time& a, const Time& b) { return a.at != b.at ? a.at > b.at : a.number > b.number; }

    Ms now_ = 0;
    std::uint64_t count_ = 0;
    std::vector<Time> times_;  // a heap, the next one first
    std::vector<Event> events_;
    std::vector<std::size_t> free_;  // places of events_
};

}  // namespace millrace::sim

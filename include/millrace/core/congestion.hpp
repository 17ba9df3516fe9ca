// What is done when more is asked for than the database can answer: how much it is given at once, who waits, in which order,
// and who is refused. Pure: state + event + now → decision.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/message.hpp"

namespace millrace::congestion {

// How long the client waits, where it says so: Request-Timeout in seconds ("2", "0.25"), or Prefer: wait=2 (RFC 7240 §4.3); the
// shorter of both. What is no number of seconds above 0 says nothing.
[[nodiscard]] std::optional<Duration> patience_of(const message::Request& request);

enum class Priority : std::uint8_t { low, normal, high };
inline constexpr std::size_t priorities = 3;

// How many statements may be underway at once: less while they take several times as long as the same shape takes at best and
// no fewer of them are done for it, else more (additive increase, multiplicative decrease: RFC 5681 §3.1). Waiting inside
// Postgres' connections is waiting that nobody can be spared any more, so it is kept short, and those who wait do so where they
// can be ordered and refused.
class ConcurrencyLimit {
public:
    struct Bounds {
        std::size_t least = 1, most = 1;
        Duration harmless{};  // statements that take no longer than this on average are never too slow
    };
    explicit ConcurrencyLimit(const Bounds& bounds) : bounds_(bounds), limit_(static_cast<double>(bounds.most)) {}

    // A statement of this shape has its answer; `underway` of them there were, with it.
    void finished(std::uint64_t shape, Duration took, std::size_t underway, TimePoint now);
    [[nodiscard]] std::size_t limit() const { return static_cast<std::size_t>(limit_); }

private:
    // The least time of a shape in the present and in the last span. Bounded: a full span begins the next one.
    using Least = std::unordered_map<std::uint64_t, Duration>;
    [[nodiscard]] Duration least(std::uint64_t shape, Duration took, TimePoint now);
    void adjust(TimePoint now);

    Bounds bounds_;
    double limit_;
    struct Trial {
        double limit = 0, rate = 0;  // before it; statements per second
    };
    std::optional<Trial> trial_;
    int resting_ = 0, rest_ = 5;  // windows without a trial: still, and how many after the last that failed
    Least present_, last_;
    TimePoint span_began_{}, window_began_{};
    Duration took_{};      // of the window's statements together
    double slowness_ = 0;  // how many times as long as at best, summed up
    std::size_t count_ = 0, most_underway_ = 0;
};

// One who waits: the queue goes by its priority and its caller.
struct Waiting {
    virtual ~Waiting() = default;
    Priority priority = Priority::normal;
    std::uint64_t caller = 0;  // whose share of the queue it is: a hash
    TimePoint since{};
};
using WaitingPointer = std::shared_ptr<Waiting>;

// Who waits for a place: by priority, and within one priority by turns between callers (round robin), each caller's own in the
// order in which they came. Whoever would have to wait longer than the target is refused when he comes: by his own turn, so
// that one who asks for much does not have others refused. Low priority has half of the target.
class FairQueue {
public:
    FairQueue(std::size_t size_max, Duration target) : size_max_(size_max), target_(target) {}

    // Nothing: it waits. Else the one that is refused: itself, or where the queue is full the newest of the caller with the
    // most, among those of the lowest priority.
    [[nodiscard]] WaitingPointer push(WaitingPointer one, TimePoint now);
    void push_front(WaitingPointer one);              // goes before all others of its caller; never refused
    [[nodiscard]] WaitingPointer pop(TimePoint now);  // whose turn it is; nothing when nobody waits

    // Takes out those of whom `gone` says so.
    template <class Gone>
    void erase_if(const Gone& gone) {
        for (Ring& ring : rings_)
            for (Flow& flow : ring.flows) size_ -= std::erase_if(flow.waiting, gone);
        forget_empty();
    }
    template <class Visit>
    void each(const Visit& visit) const {
        for (const Ring& ring : rings_)
            for (const Flow& flow : ring.flows)
                for (const WaitingPointer& one : flow.waiting) visit(one);
    }
    void clear();

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    // How long who comes now would wait, by how fast places have become free.
    [[nodiscard]] Duration wait_of(Priority priority, std::uint64_t caller) const;
    // Places are held for so long on average: one and a half times that is always waited for, however short the target is.
    void held(Duration time);

private:
    struct Flow {
        std::uint64_t caller = 0;
        std::list<WaitingPointer> waiting;
    };
    struct Ring {
        std::list<Flow> flows;  // whose turn is next: first
        std::unordered_map<std::uint64_t, std::list<Flow>::iterator> by_caller;
    };
    [[nodiscard]] Ring& ring_of(Priority priority) { return rings_[static_cast<std::size_t>(priority)]; }
    [[nodiscard]] Flow& flow_of(const Waiting& one);
    [[nodiscard]] Duration patience(Priority priority) const;
    [[nodiscard]] WaitingPointer make_room(WaitingPointer one);
    void forget(Ring& ring, std::list<Flow>::iterator flow);
    void forget_empty();

    std::size_t size_max_;
    Duration target_;
    std::array<Ring, priorities> rings_;
    std::size_t size_ = 0;
    Duration interval_{}, held_{};  // moving averages: between two places that become free; how long one is held
    TimePoint last_pop_{};          // or when somebody began to wait
};

}  // namespace millrace::congestion

// All that a simulation consists of, and what its seed decides about it.
#pragma once

#include <deque>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "agenda.hpp"
#include "checker.hpp"
#include "faults.hpp"
#include "postgres.hpp"
#include "random.hpp"
#include "redis.hpp"

namespace millrace::sim {

class Replica;

// As a deployment would be set up; the bound of G1 is made of these.
inline constexpr Ms heartbeat_ms = 1'000, lag_limit_ms = 5'000, bound_ms = heartbeat_ms + lag_limit_ms;
inline constexpr Ms fresh_ms = 15'000, while_revalidate_ms = 2'000, if_error_ms = 3'000;
inline constexpr Ms skew_ms_max = 200;
inline constexpr Ms lease_ms = 2'000, lease_wait_ms = 120;

// What differs from seed to seed.
struct Scenario {
    bool decoding = false;  // else triggers and NOTIFY
    bool roomy = true;      // the fence's bounds are as large as they ship
    bool replicated_reads = false;
    bool slow_standby = false;
    bool quiet = false;  // few writes
    bool stale_allowed = false;
    bool asynchronous_commits = false;
    bool calm = false;  // no failures at all
    Question hot{};     // half of all ask this
    Ms channel_ms_max = 40, read_ms_max = 300, redis_ms_max = 4;
    std::size_t memory_bytes = 1 << 20;
};

// Something that came about: for whoever reads the trace of a seed.
class Trace {
public:
    bool on = false;
    template <class... Words>
    void operator()(Ms now, const Words&... words) const {
        if (!on) return;
        std::cout << now << "ms ";
        ((std::cout << words), ...);
        std::cout << '\n';
    }
};

// What came of a write that was answered.
struct Token {
    Xid xid = 0;
    std::uint32_t life = 0;
    std::vector<Change> changes;
};

class World {
public:
    World(std::uint64_t seed, Fault fault, bool traced);
    ~World();

    // What was violated first; empty: nothing.
    [[nodiscard]] std::string run();

    [[nodiscard]] bool useful() const { return useful_; }
    [[nodiscard]] bool settling() const { return settling_; }
    [[nodiscard]] Ms now() const { return agenda.now(); }
    template <class... Words>
    void note(const Words&... words) const {
        trace(agenda.now(), words...);
    }
    // Decoding announces what is in the log, triggers what is visible.
    void commit(Xid xid, Replica* writer);
    [[nodiscard]] std::unique_ptr<Replica> join();

    Random random;
    Fault fault;
    std::array<std::string, places> keys;  // as the fault has them
    std::array<std::vector<fence::Tag>, questions> tags;
    Scenario scenario;
    Trace trace;
    Agenda agenda;
    History history;
    Postgres postgres{history, agenda};
    Redis redis;
    bool database_up = true;
    Checker checker;
    std::vector<std::unique_ptr<Replica>> replicas;
    std::deque<Token> tokens;

private:
    void settle();
    void prove_useful();
    void write();
    void statement(Xid xid);
    void purge();
    void ask();
    void disturb();
    void interrupt(bool failover);
    void announce(const Announcement& said);
    void every(Ms least, Ms most, void (World::*what)());
    [[nodiscard]] Replica& any();

    bool useful_;  // that the cache is of use is looked at too; where a wrong answer is to be noticed it would come first
    bool settling_ = false;
    std::vector<std::unique_ptr<Replica>> dead_;  // events may still name them
    int joined_ = 0;
};

}  // namespace millrace::sim

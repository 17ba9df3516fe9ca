// A database in miniature for decoded invalidations: a log, commits that become visible later than they are logged, snapshots.
#pragma once

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "millrace/core/feed.hpp"

namespace millrace::feed::testing_world {

struct Logged {
    Xid xid = 0;  // 0: a beat
    std::size_t tag = 0;
    PgSnapshot snapshot;  // of a beat
};

inline std::string tag_name(std::size_t tag) { return "t.x" + std::to_string(tag); }

// As procarray.c has it: xmax is one past the last that ended, not past the last that began.
struct Database {
    Xid next = 100, ended_last = 99;
    std::map<Xid, std::size_t> running;  // and the tag that each writes
    std::set<Xid> logged;                // of those: its commit is in the log, nobody sees it yet
    std::vector<Logged> log;
    std::map<std::size_t, std::vector<Xid>> visible;  // by tag: who wrote it and has ended

    [[nodiscard]] PgSnapshot snapshot() const {
        PgSnapshot taken{ended_last + 1, ended_last + 1, {}};
        for (const auto& [xid, tag] : running)
            if (xid < taken.xmax) taken.in_progress.push_back(xid);
        if (!taken.in_progress.empty()) taken.xmin = taken.in_progress.front();
        return taken;
    }
    void begin(std::size_t tag) { running.emplace(next++, tag); }
    void write_commit(Xid xid) {
        logged.insert(xid);
        log.push_back({xid, running.at(xid), {}});
    }
    void end(Xid xid) {  // becomes visible, or never happened
        if (logged.erase(xid) > 0) visible[running.at(xid)].push_back(xid);
        running.erase(xid);
        ended_last = std::max(ended_last, xid);
    }
};

}  // namespace millrace::feed::testing_world

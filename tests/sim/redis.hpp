// One Redis: entries of which the later read stays, leases that expire, and what replicas publish of their fences.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "agenda.hpp"

namespace millrace::sim {

class Redis {
public:
    struct Stored {
        std::string name, order, bytes;
        Ms expires = 0;
    };

    bool up = true;
    Ms emptied_at = -1;

    [[nodiscard]] const Stored* get(const std::string& name, Ms now);
    // What a script does in one step; false when what is there was read later. `order` compares as text.
    bool set(const std::string& name, std::string order, std::string bytes, Ms expires, bool newer_wins);
    // True for the one who has the lease now.
    bool lease(const std::string& name, int owner, Ms now, Ms length);
    void release(const std::string& name, int owner, bool whosever);
    void flush(Ms now) {
        entries_.clear();
        leases_.clear();
        states_.clear();
        emptied_at = now;
    }

    struct Published {
        std::string states, latest;
        bool carries_over = false;  // Replica::carries_over() of its publisher
    };
    void publish(const std::string& epoch, Published published) { states_[epoch] = std::move(published); }
    [[nodiscard]] const Published* published(const std::string& epoch) const {
        const auto found = states_.find(epoch);
        return found == states_.end() ? nullptr : &found->second;
    }
    [[nodiscard]] const std::map<std::string, Stored>& entries() const { return entries_; }

private:
    struct Lease {
        int owner = 0;
        Ms expires = 0;
    };
    std::map<std::string, Stored> entries_;
    std::map<std::string, Lease> leases_;
    std::map<std::string, Published> states_;  // by epoch
};

}  // namespace millrace::sim

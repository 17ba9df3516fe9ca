// What must hold of every answer that a cache gives, checked against the true history.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agenda.hpp"
#include "history.hpp"
#include "millrace/core/cache.hpp"
#include "shop.hpp"

namespace millrace::sim {

class World;
struct Token;
struct Change;

// What a replica is known to have heard of and to have written, by which its answers are judged.
struct Knowledge {
    Values heard{};
    std::array<Ms, questions> purged{}, purged_hard{};  // when the newest that was heard of had come into force; 0: none
    std::array<std::pair<Version, std::uint32_t>, cells> own{};  // and in which life of the database
    std::array<Values, places> given{};                          // what the entry in memory that was given last says
    std::uint32_t life = 0;                                      // of the database, as far as the replica knows
};

struct Given {
    const cache::Entry* entry = nullptr;
    cache::Use use{};
    Question question{};
    Identity who;
    const Token* token = nullptr;
    long age_s = 0;  // as the answer says
};

struct Counts {
    std::uint64_t fresh = 0, stale = 0, fills = 0, from_redis = 0, adopted = 0;
    Counts& operator+=(const Counts& more) {
        fresh += more.fresh;
        stale += more.stale;
        fills += more.fills;
        from_redis += more.from_redis;
        adopted += more.adopted;
        return *this;
    }
};

class Checker {
public:
    explicit Checker(const World& world) : world_(world) {}

    void given(const Given& answer, Knowledge& replica);
    void in_redis(const Answer& before, const Answer& after);
    // `leased`: since when it holds the lease of that name; 0: it does not.
    void fill_begins(int replica, std::size_t place, const std::string& name, Ms leased);
    void fill_ends(int replica, std::size_t place, const std::string& name, Ms leased);
    void purged(Question question, bool hard);
    void forget_purges() { purges_ = {}; }
    void fail(std::string_view guarantee, const std::string& why);

    [[nodiscard]] const std::string& violated() const { return violated_; }
    // Of what has been purged so far: when last.
    [[nodiscard]] Ms last_purge(Question question, bool hard, Ms until) const;

    Counts counts;

private:
    struct Purge {
        Ms at = 0;
        bool hard = false;
    };
    void check_identity(const Given& answer, const Answer& body);
    void check_age(const Given& answer, const Answer& body);
    void check_bound(const Given& answer, const Answer& body);
    void check_order(const Given& answer, const Answer& body, Knowledge& replica);
    void check_writes(const Given& answer, const Answer& body, const Knowledge& replica);
    [[nodiscard]] bool older(Version version, Version than) const;

    const World& world_;
    std::string violated_;
    std::array<std::vector<Purge>, questions> purges_;
    std::map<std::pair<int, std::size_t>, int> filling_;
    std::map<std::string, std::vector<Ms>> leased_;  // by name
};

}  // namespace millrace::sim

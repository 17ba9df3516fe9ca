// Who stands behind an API key: remembered, or asked of Postgres.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>

#include "millrace/core/auth.hpp"
#include "millrace/core/events.hpp"
#include "millrace/core/policy.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

// One per worker, on its thread. What it remembers is right as long as somebody tells of changes; else for a second.
class Callers {
public:
    Callers(pg::Pool& pool, events::Observer& observer, std::size_t keys_max);

    struct Asking {
        std::string_view key;
        std::string_view peer;
        TimePoint now;
        WallTime wall;
        bool told = false;  // changes are heard of
    };
    // Nothing: it has to be looked up. Fails with bad_api_key, or rate_limited for who tries one bad key after another.
    [[nodiscard]] std::optional<Result<auth::IdentityPointer>> find(const Asking& asking);
    // The same, and with identity_unavailable when Postgres does not answer.
    [[nodiscard]] boost::asio::awaitable<Result<auth::IdentityPointer>> look_up(std::string key, std::string peer,
                                                                                Deadline deadline);
    void forget();  // a key has changed, or may have

private:
    struct Known {
        auth::IdentityPointer identity;  // nothing: there is no such key
        TimePoint asked;
    };
    struct HashOfHash {
        [[nodiscard]] std::size_t operator()(const text::Sha256& hash) const {
            std::size_t first = 0;
            std::memcpy(&first, hash.data(), sizeof first);
            return first;
        }
    };
    [[nodiscard]] Result<auth::IdentityPointer> judge(const Known& known, WallTime wall) const;
    void remember(const text::Sha256& hash, Known known);

    pg::Pool& pool_;
    events::Observer& observer_;
    std::size_t keys_max_;
    std::uint64_t changes_ = 0;                                  // forget() was called so often
    std::unordered_map<text::Sha256, Known, HashOfHash> known_;  // by the hash of the key
    policy::RateLimiter strangers_;                              // addresses that bring bad keys
};

}  // namespace millrace::app

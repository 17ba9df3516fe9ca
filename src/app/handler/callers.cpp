// Finds out who brings an API key. A key is looked up by its hash: neither memory nor Postgres holds the key.
#include "callers.hpp"

#include <chrono>

#include "millrace/io/net.hpp"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;
using events::ApiKeyLookup;

constexpr Duration untold_for = 1s;  // what is remembered while nobody tells of changes
constexpr Duration absent_for = 10s;
constexpr std::uint64_t strange_keys_per_s = 10, strange_keys_burst = 20;  // bad keys of one address that Postgres is asked for
constexpr std::size_t addresses_max = 10'000;

// In the login role: API roles may not read the table. Revoked keys are as if they were not there.
const sql::Script& question() {
    static const sql::Script script = [] {
        sql::Statement statement;
        statement.text =
            "SELECT id, role::text, coalesce(array_to_string(scopes, ' '), ''), plan, extract(epoch FROM expires)::bigint "
            "FROM millrace_auth.api_keys WHERE hash = $1 AND revoked IS NULL";
        statement.parameters = {std::string()};
        statement.shape = text::hash64(statement.text);
        statement.slots = {{0, 0}};
        sql::Session session;
        session.role = "none";
        return sql::render(std::move(statement), session);
    }();
    return script;
}

auth::IdentityPointer read(const sql::Rows& rows) {
    if (rows.count() != 1) return nullptr;
    auth::ApiKeyRow row{std::string(rows.at(0, 0)), std::string(rows.at(0, 1)), std::string(rows.at(0, 2)),
                        std::string(rows.at(0, 3))};
    if (!rows.is_null(0, 4))
        if (const auto expires = text::to_int(rows.at(0, 4))) row.expires = WallTime(std::chrono::seconds(*expires));
    return std::make_shared<const auth::Identity>(auth::identity_of(row));
}

Error unavailable() { return Error::of(Fault::identity_unavailable).with_header("Retry-After", "1"); }

}  // namespace

Callers::Callers(pg::Pool& pool, events::Observer& observer, std::size_t keys_max)
    : pool_(pool),
      observer_(observer),
      keys_max_(keys_max),
      strangers_(strange_keys_per_s, strange_keys_burst, addresses_max) {}

std::optional<Result<auth::IdentityPointer>> Callers::find(const Asking& asking) {
    if (!auth::may_be_api_key(asking.key)) return auth::bad_api_key();
    const auto found = known_.find(auth::api_key_hash(asking.key));
    if (found == known_.end()) return std::nullopt;
    const Known& known = found->second;
    const Duration age = asking.now - known.asked;
    if (age >= untold_for && (!asking.told || (!known.identity && age >= absent_for))) return std::nullopt;
    return judge(known, asking.wall);
}

Result<auth::IdentityPointer> Callers::judge(const Known& known, WallTime wall) const {
    if (!known.identity || wall >= known.identity->expires) return auth::bad_api_key();
    return known.identity;
}

boost::asio::awaitable<Result<auth::IdentityPointer>> Callers::look_up(std::string key, std::string peer, Deadline deadline) {
    const TimePoint asked = net::now();
    const std::uint64_t changes = changes_;
    if (!strangers_.would_take(peer, asked)) {
        observer_.on(ApiKeyLookup{events::ApiKeyOutcome::refused});
        co_return Error::of(Fault::rate_limited, "Too many API keys that are not valid").with_header("Retry-After", "1");
    }
    const text::Sha256 hash = auth::api_key_hash(key);
    const std::vector<std::string> values{text::hex(hash)};
    const sql::BoundScript script(question(), values);
    pg::Timing timing;
    pg::Call call{.authenticated = true, .deadline = deadline, .priority = congestion::Priority::high};
    call.caller = text::hash64(peer);
    auto results = co_await pool_.run(script, call, nullptr, timing);
    if (!results) {
        observer_.on(ApiKeyLookup{events::ApiKeyOutcome::failed});
        co_return unavailable();
    }
    Known known{read((*results)[script.script->main]), asked};
    if (!known.identity) (void)strangers_.take(peer, asked);
    observer_.on(ApiKeyLookup{known.identity ? events::ApiKeyOutcome::found : events::ApiKeyOutcome::absent});
    auto identity = judge(known, net::wall_now());
    if (changes == changes_) remember(hash, std::move(known));  // else it may have changed since it was read
    co_return identity;
}

// Forgetting all at once is crude and cheap: what is asked for again comes back at the price of one look-up.
void Callers::remember(const text::Sha256& hash, Known known) {
    if (known_.size() >= keys_max_) known_.clear();
    if (keys_max_ > 0) known_.insert_or_assign(hash, std::move(known));
}

void Callers::forget() {
    ++changes_;
    known_.clear();
}

}  // namespace millrace::app

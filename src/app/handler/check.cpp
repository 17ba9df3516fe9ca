// Reads a share of the hits again, and compares: what the fence holds valid must be what the database says.
#include <chrono>
#include <cmath>
#include <utility>

#include "millrace/core/text.hpp"
#include "millrace/io/net.hpp"
#include "turn.hpp"

namespace millrace::app {
namespace {

namespace asio = boost::asio;
using events::CheckOutcome;

constexpr std::uint64_t million = 1'000'000;
constexpr unsigned underway_max = 1;  // per worker: it is to be cheap, not fast
constexpr Duration look_every = std::chrono::milliseconds(50);

const sql::Script& ask_snapshot() {
    static const sql::Script script = [] {
        sql::Statement statement;
        statement.text = "select pg_current_snapshot()::text";
        statement.shape = text::hash64(statement.text);
        return sql::render(std::move(statement), sql::Session());
    }();
    return script;
}

std::string joined(const std::vector<fence::Tag>& tags) {
    std::string out;
    for (const fence::Tag& tag : tags) out.append(out.empty() ? "" : " ").append(tag);
    return out;
}

}  // namespace

// The number of hits until the next one that is checked: geometric, so that no pattern of requests escapes it.
std::uint64_t RequestHandler::hits_until_check() {
    const std::uint64_t share = snapshot_->settings.cache.check_per_million;
    if (share == 0) return UINT64_MAX;
    if (share >= million) return 1;
    const double chance = (static_cast<double>(random_()) + 1) / (static_cast<double>(std::minstd_rand::max()) + 1);
    return 1 + static_cast<std::uint64_t>(std::log(chance) / std::log1p(-static_cast<double>(share) / million));
}

void RequestHandler::check(const Turn& turn, const Work& work, const EntryPointer& entry) {
    until_check_ = hits_until_check();
    if (checks_ >= underway_max) return;
    ++checks_;
    const config::Settings& settings = turn.snapshot->settings;
    Refresh what{work, turn.values, turn.cache_key, entry, turn.windows};
    what.deadline.at = net::now() + std::chrono::milliseconds(settings.limits.deadline_ms + settings.cache.lag_limit_ms);
    background_.spawn("check", read_again(std::move(what)));
}

asio::awaitable<void> RequestHandler::read_again(Refresh what) {
    const CheckOutcome outcome = co_await compare(what);
    --checks_;
    const std::string tags = outcome == CheckOutcome::inconsistent ? joined(what.old->tags) : std::string();
    observer_.on(events::CacheChecked{outcome, text::hash64(what.key), tags});
}

// A difference proves nothing while what caused it may still be on its way. A snapshot taken after the read sees all that the
// read saw; once the fence knows of everything that this snapshot sees, an entry that it still holds valid must say the same.
asio::awaitable<CheckOutcome> RequestHandler::compare(const Refresh& what) {
    pg::Timing timing;
    Reading reading{what.work, what.values, std::nullopt, what.call(), true};
    auto read = co_await read_through(std::move(reading), timing);
    if (!read.entry) co_return CheckOutcome::failed;
    const cache::Entry& old = *what.old;
    const auto rows = cache::compare_rows(*old.body, *read.entry->body, what.work->shape.window.limit);
    if (rows == cache::RowsComparison::same && old.status == read.entry->status) co_return CheckOutcome::same;
    const auto after = co_await snapshot_after(what.deadline);
    if (!after) co_return CheckOutcome::failed;
    while (!cache_.fence().latest().contains(*after)) {
        if (what.deadline.passed(net::now())) co_return CheckOutcome::failed;
        const bool awake = co_await net::sleep_for(look_every);
        if (!awake) co_return CheckOutcome::failed;
    }
    if (!cache_.fence().valid(old.snapshot, old.tags)) co_return CheckOutcome::superseded;
    co_return rows == cache::RowsComparison::open ? CheckOutcome::failed : CheckOutcome::inconsistent;
}

asio::awaitable<std::optional<fence::PgSnapshot>> RequestHandler::snapshot_after(Deadline deadline) {
    pg::Timing timing;
    const sql::BoundScript script(ask_snapshot(), {});
    const pg::Call call{.lane = events::LaneClass::slow, .deadline = deadline, .priority = congestion::Priority::low};
    auto results = co_await pool_.run(script, call, nullptr, timing);
    if (!results) co_return std::nullopt;
    const sql::Rows& rows = (*results)[ask_snapshot().main];
    if (rows.count() != 1) co_return std::nullopt;
    co_return fence::PgSnapshot::parse(rows.at(0, 0));
}

}  // namespace millrace::app

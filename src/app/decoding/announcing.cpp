// Reads the slot while it is this replica's turn, and publishes what comes out of it.
#include "announcing.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <chrono>
#include <utility>

namespace millrace::app {
namespace {

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

std::string reason_of(const Error& error) { return error.details.value_or(error.message); }

}  // namespace

Announcing::Announcing(boost::asio::io_context& context, pg::SlotSettings slot, Channel& channel, Duration turn,
                       std::function<std::uint64_t()> highest_term, events::Observer& observer)
    : context_(context),
      slot_(std::move(slot)),
      channel_(channel),
      turn_(turn),
      highest_term_(std::move(highest_term)),
      observer_(observer),
      backoff_(100ms, 5s) {}

asio::awaitable<void> Announcing::live() {
    std::uniform_real_distribution<double> uniform(0, 1);
    observer_.on(events::AnnouncerChanged{false, {}});
    for (;;) {
        const bool mine = co_await channel_.my_turn();
        if (mine) {
            auto either = announce() || hold_turn();
            const auto ended = co_await std::move(either);
            const std::string reason = ended.index() == 0 ? std::get<0>(ended) : std::get<1>(ended);
            tell(false, reason);
            co_await channel_.end_turn();
        }
        const Duration pause = mine ? backoff_.next(uniform(random_)) : turn_ / 4;
        const bool slept = co_await net::sleep_for(pause);
        if (!slept) co_return;
    }
}

asio::awaitable<std::string> Announcing::hold_turn() {
    for (bool mine = true; mine;) {
        const bool slept = co_await net::sleep_for(turn_ / 4);
        if (!slept) co_return "stopped";
        mine = co_await channel_.my_turn();
    }
    co_return "the turn could not be kept";
}

asio::awaitable<std::string> Announcing::announce() {
    pg::SlotReader reader(context_, slot_);
    const auto start = co_await reader.open();
    if (!start) co_return reason_of(start.error());
    const std::uint64_t term = co_await channel_.next_term(highest_term_());
    if (term == 0) co_return "the channel gives no term";
    feed::Announcer announcer(term, start->life, start->from);
    const bool opened = co_await publish(announcer.opening());
    if (!opened) co_return "the channel took no bulletin";
    backoff_.reset();
    tell(true, "term " + std::to_string(term));
    auto both = pass_on(reader, announcer) || reader.beat();
    const auto ended = co_await std::move(both);
    co_return ended.index() == 0 ? std::get<0>(ended) : std::get<1>(ended);
}

asio::awaitable<std::string> Announcing::pass_on(pg::SlotReader& reader, feed::Announcer& announcer) {
    for (;;) {
        const auto came = co_await reader.next();
        if (!came) co_return reason_of(came.error());
        observer_.on(events::SlotLag{came->lag_bytes});
        announcer.seen(came->newest);
        for (const auto& [transaction, xid] : came->transactions) announcer.add(transaction, xid);
        announcer.reached(came->position);
        if (came->beat) announcer.beat(came->beat->first, came->beat->second);
        if (!announcer.has_news()) continue;
        const bool accepted = co_await publish(announcer.take());
        if (!accepted) co_return "the channel took no bulletin";
        const auto confirmed = co_await reader.confirm(announcer.confirmed());
        if (!confirmed) co_return reason_of(confirmed.error());
    }
}

asio::awaitable<bool> Announcing::publish(feed::Bulletin bulletin) {
    std::string text = feed::encode(bulletin);
    co_return co_await channel_.publish(std::move(text));
}

// Each change, and each new reason why it does not become one.
void Announcing::tell(bool announcing, const std::string& reason) {
    if (announcing_ == announcing && told_ == reason) return;
    announcing_ = announcing;
    told_ = reason;
    observer_.on(events::AnnouncerChanged{announcing, reason});
    if (!announcing) observer_.on(events::SlotLag{});
}

}  // namespace millrace::app

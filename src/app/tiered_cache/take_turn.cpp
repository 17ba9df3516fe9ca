// One read at a time for a key in a process: the first caller gets the ticket, the others wait for what it brings.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "flights.hpp"

namespace millrace::app {

FillTable::FillTable() : state_(std::make_shared<State>()) {}
FillTable::~FillTable() = default;

std::size_t FillTable::size() const {
    const std::lock_guard lock(state_->mutex);
    return state_->by_key.size();
}

TieredCache::Ticket::Ticket(std::shared_ptr<FillTable::State> table, std::shared_ptr<Flight> flight)
    : table_(std::move(table)), flight_(std::move(flight)) {}

TieredCache::Ticket& TieredCache::Ticket::operator=(Ticket&& other) noexcept {
    if (this == &other) return *this;
    give(nullptr);
    table_ = std::move(other.table_);
    flight_ = std::move(other.flight_);
    return *this;
}

// The flight leaves the table first: who comes from now on finds the entry in memory, or reads anew.
void TieredCache::Ticket::give(const EntryPointer& entry) {
    if (!flight_) return;
    const auto flight = std::exchange(flight_, nullptr);
    std::vector<std::shared_ptr<Waiter>> waiters;
    {
        const std::lock_guard lock(table_->mutex);
        table_->by_key.erase(flight->key);
        waiters.swap(flight->waiters);
    }
    for (const auto& waiter : waiters) {
        auto land = [waiter, entry] {
            waiter->entry = entry;
            waiter->done = true;
            waiter->landed.notify_all();
        };
        asio::post(waiter->context, std::move(land));
    }
}

namespace {

// A waiter leaves its flight however its coroutine ends: its loop may be gone when the flight lands.
template <class Flight, class Waiter>
class Place {
public:
    Place(std::shared_ptr<FillTable::State> table, std::shared_ptr<Flight> flight, std::shared_ptr<Waiter> waiter)
        : table_(std::move(table)), flight_(std::move(flight)), waiter_(std::move(waiter)) {}
    ~Place() {
        const std::lock_guard lock(table_->mutex);
        std::erase(flight_->waiters, waiter_);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

private:
    std::shared_ptr<FillTable::State> table_;
    std::shared_ptr<Flight> flight_;
    std::shared_ptr<Waiter> waiter_;
};

}  // namespace

TieredCache::Ticket TieredCache::try_ticket(std::string_view key) {
    const auto& table = fills_->state_;
    auto flight = std::make_shared<Flight>();
    flight->key.append(epoch_).append(key);
    const std::lock_guard lock(table->mutex);
    const bool first = table->by_key.try_emplace(flight->key, flight).second;
    return first ? Ticket(table, std::move(flight)) : Ticket();
}

// The flight of the key, with the caller among its waiters; nothing when there is none.
std::shared_ptr<TieredCache::Flight> TieredCache::join(std::string_view key, std::shared_ptr<Waiter> waiter) {
    const auto& table = fills_->state_;
    const std::string name = epoch_ + std::string(key);
    const std::lock_guard lock(table->mutex);
    const auto found = table->by_key.find(name);
    if (found == table->by_key.end()) return nullptr;
    found->second->waiters.push_back(std::move(waiter));
    return found->second;
}

asio::awaitable<TieredCache::Turn> TieredCache::take_turn(std::string key, Ask ask, Deadline deadline) {
    const TimePoint began = net::now();
    const Deadline patience{std::min(deadline.at, began + fill_wait_)};
    const std::uint64_t era = era_;
    Turn turn;
    bool waited = false;
    for (bool again = true; again;) {
        turn.ticket = try_ticket(key);
        if (turn.ticket) break;
        auto waiter = std::make_shared<Waiter>(context_);
        auto flight = join(key, waiter);
        if (!flight) continue;  // it has just landed
        waited = true;
        const Place<Flight, Waiter> place(fills_->state_, std::move(flight), waiter);
        while (!waiter->done) {
            const bool woken = co_await waiter->landed.wait(patience);
            if (!woken) break;
        }
        ask.renew();
        if (waiter->done && era == era_) turn.found = waiter->entry ? accept(key, waiter->entry, ask) : find_memory(key, ask);
        // What was invalidated meanwhile, or did not come, is read again: by one of those who wait.
        again = waiter->done && era == era_ && !turn.found.answers() && !unkept(key, ask.now) && !patience.passed(net::now());
    }
    if (waited) observer_.on(events::CacheWaited{net::now() - began, turn.found.answers()});
    co_return turn;
}

// It was read before this caller came, perhaps, and by another thread.
Lookup TieredCache::accept(const std::string& key, const EntryPointer& entry, const Ask& ask) {
    cache::Kept kept{entry, {}, 0, entry->stored};
    Lookup found = weigh(kept, ask);
    if (found.use != cache::Use::fresh) return {};
    const cache::Kept* const present = store_.look(key);
    if (present == nullptr || present->entry != entry) keep(key, entry, {});
    found.result = events::CacheResult::collapsed;
    return found;
}

void TieredCache::fill(Ticket ticket, EntryPointer entry) {
    if (ticket) ticket.give(entry);
}

}  // namespace millrace::app

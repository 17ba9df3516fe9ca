// One fill at a time for a key: the first caller gets the ticket, the others wait for what it brings.
#include <utility>

#include "flights.hpp"

namespace millrace::app {

TieredCache::Ticket::Ticket(std::shared_ptr<Flights> flights, std::shared_ptr<Flight> flight)
    : flights_(std::move(flights)), flight_(std::move(flight)) {}

TieredCache::Ticket& TieredCache::Ticket::operator=(Ticket&& other) noexcept {
    if (this == &other) return *this;
    give(nullptr);
    flights_ = std::move(other.flights_);
    flight_ = std::move(other.flight_);
    return *this;
}

// The flight leaves the table first: who comes from now on finds the entry in memory, or fills anew.
void TieredCache::Ticket::give(const EntryPointer& entry) {
    if (!flight_) return;
    const auto flight = std::exchange(flight_, nullptr);
    flights_->by_key.erase(flight->key);
    flight->entry = entry;
    flight->done = true;
    flight->landed.notify_all();
}

asio::awaitable<TieredCache::Turn> TieredCache::take_turn(std::string key, Deadline deadline) {
    Turn turn;
    auto& slot = flights_->by_key[key];
    if (!slot) {
        slot = std::make_shared<Flight>(flights_->context, std::move(key));
        turn.ticket = Ticket(flights_, slot);
        co_return turn;
    }
    const auto flight = slot;
    while (!flight->done) {
        const bool woken = co_await flight->landed.wait(deadline);
        if (!woken) co_return turn;
    }
    // It was read before this caller came, perhaps; what has been invalidated since must not be handed on.
    if (!flight->entry || !fenced(net::now()) || !fence_.valid(flight->entry->snapshot, flight->entry->tags)) co_return turn;
    turn.found.entry = flight->entry;
    turn.found.result = events::CacheResult::hit_memory;
    co_return turn;
}

void TieredCache::fill(Ticket ticket, EntryPointer entry, bool store) {
    if (!ticket) return;
    if (store) put(ticket.flight_->key, entry);
    ticket.give(entry);
}

std::size_t TieredCache::fills_in_flight() const { return flights_->by_key.size(); }

}  // namespace millrace::app

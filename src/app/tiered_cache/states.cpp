// What replicas tell each other of the fence through Redis, so that one that begins to listen may use entries from before.
#include <array>
#include <chrono>
#include <string>

#include "flights.hpp"

namespace millrace::app {
namespace {

constexpr auto states_ttl_ms = "30000";
constexpr Duration budget = std::chrono::milliseconds(500);  // nobody waits for it
constexpr std::size_t states_bytes_max = 16 * 1024 * 1024;

}  // namespace

// One that knows less than what is there would hide it from the next one: it adopts first, and publishes once it has, or when
// nobody has had anything to tell for a few times.
asio::awaitable<void> TieredCache::exchange_states(bool publish) {
    constexpr unsigned patience = 3;
    if (!fence_.fenced() || !shares() || !link_->up()) co_return;
    const std::string scope = epoch_, name = epoch_ + "{states}";
    const std::array<std::string_view, 2> get = {"GET", name};
    const Deadline limit{net::now() + budget};
    const auto there = co_await link_->command(get, limit);
    if (!there || scope != epoch_ || !fence_.fenced()) co_return;
    const bool any = there->kind == redis::ValueKind::string;
    const bool adopted = any && fence_.adopt_states(there->text, scope);
    if (exchanges_ < patience) exchanges_ = adopted ? patience : exchanges_ + 1;
    if (!publish || (any && exchanges_ < patience)) co_return;
    const std::string states = fence_.encode_states(scope);
    if (states.empty() || states.size() > states_bytes_max) co_return;
    const std::array<std::string_view, 5> set = {"SET", name, states, "PX", states_ttl_ms};
    link_->post(set);
}

}  // namespace millrace::app

// Decides what an entry may be used for, and which of two answers to one question is the later.
#include <cmath>

#include "millrace/core/cache.hpp"

namespace millrace::cache {
namespace {

constexpr std::size_t digits = order_bytes / 2;

void append_padded(std::string& out, std::uint64_t number) {
    const std::string text = std::to_string(number);
    out.append(digits - text.size(), '0').append(text);
}

// A moment ahead of our clock is another replica's; one that is farther ahead than the entry may live is nonsense.
bool stored_in_time(const Entry& entry, WallTime now) { return entry.stored < now + entry.fresh_for; }

}  // namespace

// A spare may be given while unfenced too: its bound is counted from when it was last known to hold, not from what was heard
// since. Freshness that ends by its time alone counts from then, so neither way of growing old hides the other.
Use judge(const Entry& entry, const Standing& standing, const StaleWindows& windows, WallTime now) {
    if (!standing.sees_token || !stored_in_time(entry, now)) return Use::none;
    const WallTime ends = entry.stored + entry.fresh_for;
    if (standing.fenced && standing.valid && now < ends) return Use::fresh;
    if (standing.purged) return Use::none;
    const Duration stale_for = now - std::min(standing.known_valid, ends);
    if (standing.fenced && stale_for <= windows.while_revalidate && windows.while_revalidate > Duration::zero())
        return Use::stale;
    if (stale_for <= windows.if_error && windows.if_error > Duration::zero()) return Use::spare;
    return Use::none;
}

bool refresh_early_by(Duration left, Duration cost, double chance) {
    using Seconds = std::chrono::duration<double>;
    return Seconds(left).count() < Seconds(cost).count() * -std::log(chance);
}

std::string order_of(const Entry& entry) {
    std::string out;
    out.reserve(order_bytes);
    append_padded(out, entry.snapshot.xmax - entry.snapshot.in_progress.size());
    const auto stored = std::chrono::duration_cast<std::chrono::milliseconds>(entry.stored.time_since_epoch()).count();
    append_padded(out, static_cast<std::uint64_t>(std::max<std::int64_t>(stored, 0)));
    return out;
}

}  // namespace millrace::cache

// What a cluster's clients must know: the slot of a key, which node has which slots, and what a redirect says. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "millrace/io/redis.hpp"

namespace millrace::redis {

inline constexpr std::uint16_t slot_count = 16'384;

// CRC16 (XMODEM) of the key, or of what stands between its first '{' and the next '}' when that is not empty.
[[nodiscard]] std::uint16_t slot_of(std::string_view key);

// The key that decides where a command goes; nothing when any node will do. A command that is not known here is taken to have
// its key as second word, as most have.
[[nodiscard]] std::optional<std::string_view> first_key(std::span<const std::string_view> words);

struct Redirect {
    bool once = false;  // ASK: for this command alone; MOVED: from now on
    std::uint16_t slot = 0;
    Endpoint to;
};
// "MOVED 3999 10.0.0.1:6381" or "ASK …"; nothing for any other error. `asked` is who says so: an empty host means the same.
[[nodiscard]] std::optional<Redirect> read_redirect(std::string_view error, const Endpoint& asked);

struct SlotRange {
    std::uint16_t first = 0, last = 0;
    Endpoint master;
};
// The reply to CLUSTER SLOTS.
[[nodiscard]] Result<std::vector<SlotRange>> read_slots(const Value& reply, const Endpoint& asked);

}  // namespace millrace::redis

// The replication slot itself: is it there, may it be used, and how one is made that can be relied upon.
#pragma once

#include <string>
#include <string_view>

#include "asker.hpp"
#include "millrace/core/replication.hpp"

namespace millrace::pg {

enum class SlotHealth : std::uint8_t { usable, missing, lost };
struct SlotState {
    SlotHealth health = SlotHealth::missing;
    replication::Lsn confirmed = 0;
};
// Errors: the name belongs to a slot that is not ours to touch.
[[nodiscard]] asio::awaitable<Result<SlotState>> inspect_slot(Asker& asker, std::string slot);

// Makes the slot, after dropping what is left of a lost one. It waits for the transactions that are underway: first Postgres
// does, to be able to decode at all; then this does, until a snapshot has seen the end of all that began before decoding did.
// For a transaction whose record came just before the slot's place in the log may not have been visible yet, and nobody would
// ever be told of it. Until then the slot is a temporary one of this connection, so that a slot of that name is a good one.
[[nodiscard]] asio::awaitable<Result<void>> make_slot(asio::io_context& context, std::string url, std::string slot);

}  // namespace millrace::pg

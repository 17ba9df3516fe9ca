// What the answers of reads, writes and calls have in common: where their rows stand among all, and what goes wrong with them.
#pragma once

#include "millrace/core/reply.hpp"

namespace millrace::reply {

using Total = std::optional<std::int64_t>;

// "0-24/3573458", "*/0", "0-24/*": PostgREST, "Pagination and Count".
[[nodiscard]] std::string content_range(std::int64_t first, std::int64_t last, Total total);
[[nodiscard]] int read_status(std::int64_t first, std::int64_t last, Total total);

// Fails when the window begins behind the last row.
[[nodiscard]] Result<void> check_window(const request::Window& window, Total total);
[[nodiscard]] Error not_singular(std::size_t rows);
[[nodiscard]] Error too_many_affected(std::int64_t count);

void add_applied(const Shape& shape, message::HeaderBlock& headers);

}  // namespace millrace::reply

// Copies the cells of one row after another into blocks of memory that go with them.
#include "lane_rows.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace millrace::pg {
namespace {

constexpr std::size_t block_bytes = 16 * 1024;

}  // namespace

void RowStore::add(const PGresult* result) {
    const int columns = PQnfields(result);
    set_columns(static_cast<std::size_t>(columns));
    for (int row = 0; row < PQntuples(result); ++row) {
        for (int column = 0; column < columns; ++column) {
            if (PQgetisnull(result, row, column) == 1) {
                rows_.cells.emplace_back();
                continue;
            }
            const auto length = static_cast<std::size_t>(PQgetlength(result, row, column));
            char* const place = room(length);
            std::memcpy(place, PQgetvalue(result, row, column), length);
            rows_.cells.emplace_back(place, length);
        }
        bytes_ += static_cast<std::size_t>(columns) * sizeof(std::string_view);
    }
}

// An empty cell has a place too: without one it would be a null.
char* RowStore::room(std::size_t length) {
    if (!blocks_) blocks_ = std::make_shared<Blocks>();
    if (length > left_ || next_ == nullptr) {
        left_ = std::max(length, block_bytes);
        next_ = blocks_->emplace_back(std::make_unique_for_overwrite<char[]>(left_)).get();
    }
    left_ -= length;
    bytes_ += length;
    return std::exchange(next_, next_ + length);
}

sql::Rows RowStore::take() {
    sql::Rows taken = std::exchange(rows_, {});
    rows_.columns = taken.columns;
    taken.owner = std::exchange(blocks_, nullptr);
    next_ = nullptr;
    left_ = bytes_ = 0;
    return taken;
}

}  // namespace millrace::pg

// Rows that came one at a time, kept until somebody takes them.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "connection.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::pg {

// libpq makes a result of each row in single-row mode; that memory goes back at once, the cells are kept here side by side.
class RowStore {
public:
    void add(const PGresult* result);
    void set_columns(std::size_t columns) { rows_.columns = columns; }  // also known when there is no row

    [[nodiscard]] bool empty() const { return rows_.cells.empty(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }  // of memory, about
    [[nodiscard]] sql::Rows take();
    void clear() { (void)take(); }

private:
    using Blocks = std::vector<std::unique_ptr<char[]>>;
    [[nodiscard]] char* room(std::size_t length);

    sql::Rows rows_;
    std::shared_ptr<Blocks> blocks_;
    char* next_ = nullptr;
    std::size_t left_ = 0, bytes_ = 0;
};

}  // namespace millrace::pg

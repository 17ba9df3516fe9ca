// Which statements are prepared on one connection: bounded, the least recently used is forgotten first.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "millrace/core/sql.hpp"

namespace millrace::pg {

struct Prepared {
    std::uint64_t shape = 0;
    std::uint64_t number = 0;  // of its name; never used twice on a connection
    std::string name, text;
};

class Statements {
public:
    explicit Statements(std::size_t most) : most_(most) {}

    [[nodiscard]] bool enabled() const { return most_ > 0; }
    [[nodiscard]] std::size_t size() const { return order_.size(); }

    // The one for this statement, or nothing.
    [[nodiscard]] const Prepared* find(const sql::Statement& statement);

    // A new name for it. `evicted` is the name of the statement that made room, if one had to.
    [[nodiscard]] const Prepared& add(const sql::Statement& statement, std::optional<std::string>& evicted);

    // Forgets it unless another took its place meanwhile; its name if it was known.
    std::optional<std::string> forget(std::uint64_t shape, std::uint64_t number);
    void clear();

private:
    using Order = std::list<Prepared>;
    std::string remove(Order::iterator place);

    std::size_t most_;
    std::uint64_t last_number_ = 0;
    Order order_;  // most recently used first
    std::unordered_map<std::uint64_t, Order::iterator> by_shape_;
};

}  // namespace millrace::pg

// The little database of the simulation: its cells, what is asked of them, by whom, and which tags and keys that gives.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "faults.hpp"
#include "millrace/core/cache.hpp"
#include "millrace/core/fence.hpp"

namespace millrace::sim {

// Each row is one cell, whose value is the number of the commit that wrote it.
using Version = std::uint32_t;
inline constexpr std::size_t cells = 7;
using Values = std::array<Version, cells>;

struct Row {
    std::string_view table, bucket;
};
inline constexpr std::array<Row, cells> rows = {{{"api.items", "0a0a"},
                                                 {"api.items", "0b0b"},
                                                 {"api.items", "0a0a"},  // two keys that share a bucket
                                                 {"api.orders", "0c0c"},
                                                 {"api.orders", "0d0d"},
                                                 {"api.notes", "0e0e"},  // under row security: one row for each claim
                                                 {"api.notes", "0f0f"}}};
struct Table {
    std::string_view name;
    std::size_t first, count;
};
inline constexpr std::array<Table, 3> tables = {{{"api.items", 0, 3}, {"api.orders", 3, 2}, {"api.notes", 5, 2}}};

struct Identity {
    std::uint8_t role = 0, claim = 0;
};

enum class Question : std::uint8_t { item0, item1, item2, items, orders, both, notes, call };
inline constexpr std::size_t questions = 8;

[[nodiscard]] std::vector<std::size_t> cells_of(Question question, Identity who);
[[nodiscard]] std::vector<fence::Tag> tags_of(Question question, Fault fault);
[[nodiscard]] std::string_view route_tag(Question question);
// Of who asks what: one place for each that must not meet another.
inline constexpr std::size_t places = questions * 4;
inline std::size_t place_of(Question question, Identity who) {
    return static_cast<std::size_t>(question) * 4 + who.role * 2U + (question == Question::notes ? who.claim : 0U);
}
[[nodiscard]] std::array<std::string, places> keys(Fault fault);
inline bool by_claims(Question question) { return question == Question::notes; }
inline bool by_time_alone(Question question) { return question == Question::call; }

// The body of an answer: everything that a checker wants to know of it.
struct Answer {
    Question question{};
    Identity who;
    std::uint32_t epoch = 0;
    std::int64_t began = 0, read = 0;  // simulated time; the snapshot is of `read`
    Values values{};

    [[nodiscard]] std::string to_bytes() const;
    [[nodiscard]] static Answer from_bytes(std::string_view bytes);
};

}  // namespace millrace::sim

// Messages of pgoutput, built by hand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::replication::testing_bytes {

template <class Number>
std::string number(Number value) {
    std::string out;
    for (int shift = 8 * (static_cast<int>(sizeof(Number)) - 1); shift >= 0; shift -= 8)
        out += static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xFF);
    return out;
}

inline std::string text(std::string_view value) { return std::string(value) + '\0'; }

inline std::string begin(std::uint32_t xid) {
    return "B" + number<std::uint64_t>(0x200) + number<std::uint64_t>(0) + number(xid);
}

inline std::string commit(std::uint64_t at, std::uint64_t end) {
    return "C" + number<std::uint8_t>(0) + number(at) + number(end) + number<std::uint64_t>(0);
}

struct ColumnOf {
    std::string name;
    std::uint32_t type;
};
inline std::string relation(std::uint32_t oid, std::string_view schema, std::string_view name, char identity,
                            const std::vector<ColumnOf>& columns) {
    std::string out = "R" + number(oid) + text(schema) + text(name) + identity;
    out += number(static_cast<std::uint16_t>(columns.size()));
    for (const auto& column : columns)
        out += number<std::uint8_t>(0) + text(column.name) + number(column.type) + number<std::uint32_t>(0xFFFFFFFF);
    return out;
}

// "n" null, "u" unchanged, "=value" text.
inline std::string tuple(const std::vector<std::string>& cells) {
    std::string out = number(static_cast<std::uint16_t>(cells.size()));
    for (const std::string& cell : cells) {
        if (cell.front() != '=') {
            out += cell;
            continue;
        }
        out += "t" + number(static_cast<std::uint32_t>(cell.size() - 1)) + cell.substr(1);
    }
    return out;
}

using Cells = std::vector<std::string>;
inline std::string insert(std::uint32_t oid, const Cells& row) { return "I" + number(oid) + "N" + tuple(row); }
inline std::string update(std::uint32_t oid, const Cells& fresh) { return "U" + number(oid) + "N" + tuple(fresh); }
inline std::string update(std::uint32_t oid, char letter, const Cells& old, const Cells& fresh) {
    return "U" + number(oid) + letter + tuple(old) + "N" + tuple(fresh);
}
inline std::string remove(std::uint32_t oid, char letter, const Cells& old) { return "D" + number(oid) + letter + tuple(old); }
inline std::string truncate(const std::vector<std::uint32_t>& oids) {
    std::string out = "T" + number(static_cast<std::uint32_t>(oids.size())) + number<std::uint8_t>(0);
    for (const auto oid : oids) out += number(oid);
    return out;
}

}  // namespace millrace::replication::testing_bytes

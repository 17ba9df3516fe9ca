// Finds a key's slot, and reads what a cluster says of its slots.
#include "slots.hpp"

#include <array>
#include <charconv>

namespace millrace::redis {
namespace {

constexpr std::array<std::uint16_t, 256> crc_table = [] {
    std::array<std::uint16_t, 256> table{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        unsigned crc = byte << 8;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000U) != 0 ? (crc << 1) ^ 0x1021U : crc << 1;
        table[byte] = static_cast<std::uint16_t>(crc);
    }
    return table;
}();

std::uint16_t crc16(std::string_view text) {
    std::uint16_t crc = 0;
    for (const char c : text) {
        const auto index = ((crc >> 8) ^ static_cast<unsigned char>(c)) & 0xFFU;
        crc = static_cast<std::uint16_t>((crc << 8) ^ crc_table[index]);
    }
    return crc;
}

std::string_view hashed_part(std::string_view key) {
    const auto open = key.find('{');
    if (open == std::string_view::npos) return key;
    const auto close = key.find('}', open + 1);
    if (close == std::string_view::npos || close == open + 1) return key;
    return key.substr(open + 1, close - open - 1);
}

bool is(std::string_view word, std::string_view upper) {
    if (word.size() != upper.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i)
        if ((static_cast<unsigned char>(word[i]) & ~0x20U) != static_cast<unsigned char>(upper[i])) return false;
    return true;
}

template <class T>
bool take_number(std::string_view text, T& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc{} && end == text.data() + text.size();
}

bool is_slot(std::int64_t number) { return number >= 0 && number < slot_count; }

// A node that does not know its own name says nothing, or "?": it is then where we asked.
Endpoint endpoint_of(std::string_view host, std::uint16_t port, const Endpoint& asked) {
    Endpoint endpoint;
    endpoint.host = host.empty() || host == "?" ? asked.host : std::string(host);
    endpoint.port = port;
    return endpoint;
}

Error problem() { return Error::of(Fault::internal, "the answer to CLUSTER SLOTS makes no sense"); }

std::optional<SlotRange> read_range(const Value& item, const Endpoint& asked) {
    if (item.items.size() < 3 || item.items[2].items.size() < 2) return std::nullopt;
    const std::int64_t first = item.items[0].integer, last = item.items[1].integer;
    const Value &host = item.items[2].items[0], &port = item.items[2].items[1];
    const bool numbers = item.items[0].kind == ValueKind::integer && item.items[1].kind == ValueKind::integer;
    const bool named = host.kind == ValueKind::string || host.kind == ValueKind::nil;
    if (!numbers || !is_slot(first) || !is_slot(last) || first > last || !named) return std::nullopt;
    if (port.kind != ValueKind::integer || port.integer < 1 || port.integer > 65'535) return std::nullopt;
    return SlotRange{static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last),
                     endpoint_of(host.text, static_cast<std::uint16_t>(port.integer), asked)};
}

}  // namespace

std::uint16_t slot_of(std::string_view key) { return crc16(hashed_part(key)) % slot_count; }

std::optional<std::string_view> first_key(std::span<const std::string_view> words) {
    if (words.size() < 2) return std::nullopt;
    for (const std::string_view anywhere : {"PUBLISH", "PING", "SCRIPT", "ECHO", "CLUSTER", "CONFIG", "CLIENT", "INFO"})
        if (is(words[0], anywhere)) return std::nullopt;
    if (!is(words[0], "EVAL") && !is(words[0], "EVALSHA")) return words[1];
    if (words.size() < 4 || words[2] == "0") return std::nullopt;
    return words[3];
}

std::optional<Redirect> read_redirect(std::string_view error, const Endpoint& asked) {
    Redirect redirect;
    redirect.once = error.starts_with("ASK ");
    if (!redirect.once && !error.starts_with("MOVED ")) return std::nullopt;
    error.remove_prefix(redirect.once ? 4 : 6);
    const auto space = error.find(' '), colon = error.rfind(':');
    if (space == std::string_view::npos || colon == std::string_view::npos || colon < space) return std::nullopt;
    std::uint16_t port = 0;
    if (!take_number(error.substr(0, space), redirect.slot) || !is_slot(redirect.slot)) return std::nullopt;
    if (!take_number(error.substr(colon + 1), port) || port == 0) return std::nullopt;
    redirect.to = endpoint_of(error.substr(space + 1, colon - space - 1), port, asked);
    return redirect;
}

Result<std::vector<SlotRange>> read_slots(const Value& reply, const Endpoint& asked) {
    if (reply.kind == ValueKind::error) return Error::of(Fault::internal, reply.text);
    if (reply.kind != ValueKind::array) return problem();
    std::vector<SlotRange> ranges;
    for (const Value& item : reply.items) {
        auto range = read_range(item, asked);
        if (!range) return problem();
        ranges.push_back(*std::move(range));
    }
    if (ranges.empty()) return Error::of(Fault::internal, "the cluster has no slots");
    return ranges;
}

}  // namespace millrace::redis

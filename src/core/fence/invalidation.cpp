// Reads the payload of an invalidation: which transaction touched which tags.
#include <charconv>

#include "millrace/core/fence.hpp"
#include "millrace/core/text.hpp"

namespace millrace::fence {
namespace {

constexpr std::size_t payload_bytes_max = 8'000;  // Postgres' own limit for NOTIFY

}  // namespace

std::optional<Invalidation> parse_invalidation(std::string_view payload) {
    if (payload.size() > payload_bytes_max) return std::nullopt;
    const auto words = text::split(payload, ' ');
    Invalidation invalidation;
    const std::string_view digits = words.front();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), invalidation.xid);
    if (error != std::errc{} || end != digits.data() + digits.size() || invalidation.xid == 0) return std::nullopt;
    for (std::size_t i = 1; i < words.size(); ++i) {
        if (words[i].empty()) return std::nullopt;
        invalidation.tags.emplace_back(words[i]);
    }
    if (invalidation.tags.empty()) return std::nullopt;
    return invalidation;
}

}  // namespace millrace::fence

// Reads how long a client is willing to wait.
#include <charconv>

#include "millrace/core/congestion.hpp"
#include "millrace/core/text.hpp"

namespace millrace::congestion {
namespace {

constexpr double seconds_max = 86'400;

std::optional<Duration> seconds(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (error != std::errc() || end != text.data() + text.size() || !(value > 0) || value > seconds_max) return std::nullopt;
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

std::optional<Duration> shorter(std::optional<Duration> a, std::optional<Duration> b) {
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}

std::optional<Duration> preferred_wait(std::string_view preferences) {
    for (const std::string_view preference : text::split(preferences, ',')) {
        const std::string_view trimmed = text::trim(preference);
        const auto equals = trimmed.find('=');
        if (equals == std::string_view::npos || !text::iequals(text::trim(trimmed.substr(0, equals)), "wait")) continue;
        return seconds(text::trim(trimmed.substr(equals + 1)));
    }
    return std::nullopt;
}

}  // namespace

std::optional<Duration> patience_of(const message::Request& request) {
    std::optional<Duration> patience;
    for (const message::Header& header : request.headers) {
        if (text::iequals(header.name, "request-timeout")) patience = shorter(patience, seconds(header.value));
        if (text::iequals(header.name, "prefer")) patience = shorter(patience, preferred_wait(header.value));
    }
    return patience;
}

}  // namespace millrace::congestion

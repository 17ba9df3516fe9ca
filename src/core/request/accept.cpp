// Accept: the media types a client takes, best first.
#include <algorithm>
#include <charconv>

#include "media_type.hpp"
#include "millrace/core/text.hpp"

namespace millrace::request {
namespace {

constexpr std::size_t ranges_max = 50;

double quality_of(std::string_view value) {
    double q = 1.0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), q, std::chars_format::fixed);
    if (error != std::errc{} || !(q >= 0.0)) return 1.0;
    return std::min(q, 1.0);
}

struct Ranked {
    MediaRange range;
    int specificity = 0;
};

// More parameters are more specific, wildcards less (RFC 9110 §12.5.1).
int specificity(std::string_view text) {
    return static_cast<int>(std::ranges::count(text, ';') - std::ranges::count(text, '*'));
}

// The weight ends the media type: what follows it belongs to neither.
Ranked read_range(std::string_view text) {
    std::string_view rest = text;
    take_until(rest, ';');
    std::size_t type_end = text.size() - rest.size();
    double quality = 1.0;
    while (!rest.empty()) {
        const Parameter parameter = read_parameter(take_until(rest, ';'));
        if (parameter.name == "q") {
            quality = quality_of(parameter.value);
            break;
        }
        type_end = text.size() - rest.size();
    }
    std::string_view type = text.substr(0, type_end);
    while (type.ends_with(';') || type.ends_with(' ')) type.remove_suffix(1);
    Ranked out{parse_media_type(type), specificity(type)};
    out.range.quality = quality;
    return out;
}

}  // namespace

std::vector<MediaRange> parse_accept(std::string_view text) {
    std::vector<Ranked> ranked;
    while (!text.empty() && ranked.size() < ranges_max) {
        const std::string_view one = text::trim(take_until(text, ','));
        if (one.empty()) continue;
        auto range = read_range(one);
        if (range.range.quality > 0.0) ranked.push_back(std::move(range));
    }
    if (ranked.size() > 1)
        std::ranges::stable_sort(ranked, [](const Ranked& a, const Ranked& b) {
            if (a.range.quality != b.range.quality) return a.range.quality > b.range.quality;
            return a.specificity > b.specificity;
        });
    std::vector<MediaRange> out;
    out.reserve(ranked.size());
    for (Ranked& each : ranked) out.push_back(std::move(each.range));
    return out;
}

}  // namespace millrace::request

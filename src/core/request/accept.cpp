// Accept: the media types a client takes, best first.
#include <algorithm>
#include <array>
#include <charconv>

#include "millrace/core/request.hpp"
#include "millrace/core/text.hpp"

namespace millrace::request {
namespace {

constexpr std::size_t ranges_max = 50;

struct MediaRow {
    std::string_view name;
    Media plain, stripped;  // stripped: with nulls=stripped
};
constexpr std::array media_rows = {
    MediaRow{"*/*", Media::any, Media::any},
    MediaRow{"application/json", Media::json, Media::json},
    MediaRow{"application/vnd.pgrst.object+json", Media::singular, Media::singular_stripped},
    MediaRow{"application/vnd.pgrst.object", Media::singular, Media::singular_stripped},
    MediaRow{"application/vnd.pgrst.array+json", Media::json, Media::array_stripped},
    MediaRow{"application/vnd.pgrst.array", Media::json, Media::array_stripped},
    MediaRow{"text/csv", Media::csv, Media::csv},
    MediaRow{"application/geo+json", Media::geojson, Media::geojson},
    MediaRow{"application/openapi+json", Media::openapi, Media::openapi},
    MediaRow{"application/vnd.pgrst.plan", Media::plan, Media::plan},
    MediaRow{"application/vnd.pgrst.plan+text", Media::plan, Media::plan},
    MediaRow{"application/vnd.pgrst.plan+json", Media::plan, Media::plan},
    MediaRow{"text/plain", Media::text, Media::text},
    MediaRow{"application/octet-stream", Media::octet_stream, Media::octet_stream},
};

// Up to the separator, which does not count inside a quoted string.
std::string_view take_until(std::string_view& rest, char separator) {
    bool in_quotes = false;
    std::size_t at = 0;
    for (; at < rest.size() && (in_quotes || rest[at] != separator); ++at) {
        if (rest[at] == '\\' && in_quotes && at + 1 < rest.size()) {
            ++at;
        } else if (rest[at] == '"') {
            in_quotes = !in_quotes;
        }
    }
    const std::string_view taken = rest.substr(0, at);
    rest.remove_prefix(std::min(at + 1, rest.size()));
    return taken;
}

bool is_parameter(std::string_view parameter, std::string_view name, std::string_view& value) {
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos || !text::iequals(text::trim(parameter.substr(0, equals)), name)) return false;
    value = text::trim(parameter.substr(equals + 1));
    return true;
}

double quality_of(std::string_view value) {
    double q = 1.0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), q, std::chars_format::fixed);
    if (error != std::errc{} || !(q >= 0.0)) return 1.0;
    return std::min(q, 1.0);
}

MediaRange read_range(std::string_view text) {
    MediaRange out;
    std::string_view rest = text;
    const std::string name = text::lower(text::trim(take_until(rest, ';')));
    std::size_t kept = text.size() - rest.size();  // up to the weight, which is no part of the media type
    bool stripped = false;
    while (!rest.empty()) {
        std::string_view value;
        const std::string_view parameter = text::trim(take_until(rest, ';'));
        if (is_parameter(parameter, "q", value)) {
            out.quality = quality_of(value);
            break;
        }
        if (is_parameter(parameter, "nulls", value)) stripped = value == "stripped" || value == "\"stripped\"";
        kept = text.size() - rest.size();
    }
    std::string_view kept_text = text::trim(text.substr(0, kept));
    while (kept_text.ends_with(';')) kept_text = text::trim(kept_text.substr(0, kept_text.size() - 1));
    out.text = kept_text;
    const auto row = std::ranges::find(media_rows, std::string_view(name), &MediaRow::name);
    out.media = row == media_rows.end() ? Media::other : stripped ? row->stripped : row->plain;
    return out;
}

// More parameters are more specific, wildcards less (RFC 9110 §12.5.1).
int specificity(const MediaRange& range) {
    const auto parameters = std::ranges::count(range.text, ';'), stars = std::ranges::count(range.text, '*');
    return static_cast<int>(parameters - stars);
}

}  // namespace

std::vector<MediaRange> parse_accept(std::string_view text) {
    std::vector<MediaRange> out;
    while (!text.empty() && out.size() < ranges_max) {
        const std::string_view one = text::trim(take_until(text, ','));
        if (one.empty()) continue;
        auto range = read_range(one);
        if (range.quality > 0.0) out.push_back(std::move(range));
    }
    if (out.size() > 1)
        std::ranges::stable_sort(out, [](const MediaRange& a, const MediaRange& b) {
            if (a.quality != b.quality) return a.quality > b.quality;
            return specificity(a) > specificity(b);
        });
    return out;
}

}  // namespace millrace::request

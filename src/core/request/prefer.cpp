// Prefer: what the client would like, RFC 7240 with PostgREST's preferences.
#include <algorithm>
#include <array>

#include "millrace/core/request.hpp"
#include "millrace/core/text.hpp"

namespace millrace::request {
namespace {

constexpr std::size_t preferences_max = 50;

struct Known {
    std::string_view text;
    void (*apply)(Preferences&);
};

// Groups in the order in which Preference-Applied names them; of one group the first preference given counts.
constexpr std::array resolution = {
    Known{"resolution=merge-duplicates", [](Preferences& p) { p.resolution = Resolution::merge_duplicates; }},
    Known{"resolution=ignore-duplicates", [](Preferences& p) { p.resolution = Resolution::ignore_duplicates; }}};
constexpr std::array missing = {Known{"missing=default", [](Preferences& p) { p.missing_default = true; }},
                                Known{"missing=null", [](Preferences& p) { p.missing_default = false; }}};
constexpr std::array returning = {
    Known{"return=representation", [](Preferences& p) { p.returning = ReturnKind::representation; }},
    Known{"return=minimal", [](Preferences& p) { p.returning = ReturnKind::minimal; }},
    Known{"return=headers-only", [](Preferences& p) { p.returning = ReturnKind::headers_only; }}};
constexpr std::array counting = {Known{"count=exact", [](Preferences& p) { p.count = CountKind::exact; }},
                                 Known{"count=planned", [](Preferences& p) { p.count = CountKind::planned; }},
                                 Known{"count=estimated", [](Preferences& p) { p.count = CountKind::estimated; }}};
constexpr std::array transaction = {Known{"tx=commit", [](Preferences& p) { p.commit = true; }},
                                    Known{"tx=rollback", [](Preferences& p) { p.commit = false; }}};
constexpr std::array handling = {Known{"handling=strict", [](Preferences& p) { p.strict = true; }},
                                 Known{"handling=lenient", [](Preferences& p) { p.strict = false; }}};

constexpr std::string_view timezone_prefix = "timezone=", max_affected_prefix = "max-affected=";
constexpr std::string_view wait_prefix = "wait=";  // understood by congestion::patience_of()

// One preference as it is compared: name in lower case, no blanks around '=', no quotes, no parameters (RFC 7240 §2).
std::string normal(std::string_view given) {
    given = text::trim(given.substr(0, given.find(';')));
    const auto equals = given.find('=');
    if (equals == std::string_view::npos) return text::lower(given);
    std::string_view value = text::trim(given.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return text::lower(text::trim(given.substr(0, equals))).append("=").append(value);
}

struct Given {
    std::string text;         // normalised
    std::string_view source;  // as written
    bool known = false;
};

std::vector<Given> given_preferences(const message::Request& request) {
    std::vector<Given> out;
    for (const auto& header : request.headers) {
        if (!text::iequals(header.name, "Prefer")) continue;
        for (std::string_view piece : text::split(header.value, ',')) {
            piece = text::trim(piece);
            if (piece.empty() || out.size() == preferences_max) continue;
            out.push_back({normal(piece), piece, false});
        }
    }
    return out;
}

template <std::size_t N>
void choose(std::vector<Given>& given, const std::array<Known, N>& group, Preferences& out) {
    bool chosen = false;
    for (Given& one : given) {
        const auto row = std::ranges::find(group, one.text, &Known::text);
        if (row == group.end()) continue;
        one.known = true;
        if (std::exchange(chosen, true)) continue;
        row->apply(out);
        out.applied.emplace_back(row->text);
    }
}

// The value of the first preference with that prefix.
std::optional<std::string> valued(std::vector<Given>& given, std::string_view prefix) {
    std::optional<std::string> out;
    for (Given& one : given) {
        if (!one.text.starts_with(prefix)) continue;
        one.known = true;
        if (!out) out = one.text.substr(prefix.size());
    }
    return out;
}

void read_timezone(std::vector<Given>& given, Preferences& out) {
    auto zone = valued(given, timezone_prefix);
    if (!zone) return;
    out.applied.push_back(std::string(timezone_prefix) + *zone);
    out.timezone = *std::move(zone);
}

void read_max_affected(std::vector<Given>& given, Preferences& out) {
    const auto text = valued(given, max_affected_prefix);
    if (text) out.max_affected = text::to_int(*text);
    if (out.max_affected && out.strict)
        out.applied.push_back(std::string(max_affected_prefix) + std::to_string(*out.max_affected));
}

}  // namespace

Preferences parse_prefer(const message::Request& request) {
    Preferences out;
    auto given = given_preferences(request);
    if (given.empty()) return out;
    choose(given, resolution, out);
    choose(given, missing, out);
    choose(given, returning, out);
    choose(given, counting, out);
    choose(given, transaction, out);
    choose(given, handling, out);
    read_timezone(given, out);
    read_max_affected(given, out);
    (void)valued(given, wait_prefix);
    for (const Given& one : given)
        if (!one.known) out.unknown.emplace_back(one.source);
    return out;
}

}  // namespace millrace::request

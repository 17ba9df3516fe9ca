// Which of the dialect's media types a name with its parameters is.
#include "media_type.hpp"

#include <algorithm>
#include <array>

#include "millrace/core/text.hpp"

namespace millrace::request {
namespace {

struct MediaRow {
    std::string_view written;
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
    MediaRow{"text/xml", Media::xml, Media::xml},
    MediaRow{"application/octet-stream", Media::octet_stream, Media::octet_stream},
};

std::string without_spaces(std::string_view text) {
    std::string out(text);
    std::erase_if(out, [](char c) { return c == ' ' || c == '\t'; });
    return out;
}

std::string_view full_name(Media media) {
    switch (media) {
        case Media::json:
            return "application/json";
        case Media::singular:
            return "application/vnd.pgrst.object+json";
        case Media::singular_stripped:
            return "application/vnd.pgrst.object+json;nulls=stripped";
        case Media::array_stripped:
            return "application/vnd.pgrst.array+json;nulls=stripped";
        case Media::csv:
            return "text/csv";
        case Media::geojson:
            return "application/geo+json";
        case Media::openapi:
            return "application/openapi+json";
        case Media::text:
            return "text/plain";
        case Media::xml:
            return "text/xml";
        case Media::octet_stream:
            return "application/octet-stream";
        case Media::plan:
        case Media::other:
        case Media::any:
            break;  // have no name of their own
    }
    return "*/*";
}

struct PlanFlag {
    std::string_view name;
    bool PlanRange::*flag;
};
constexpr std::array plan_flags = {
    PlanFlag{"analyze", &PlanRange::analyze},   PlanFlag{"verbose", &PlanRange::verbose},
    PlanFlag{"settings", &PlanRange::settings}, PlanFlag{"buffers", &PlanRange::buffers},
    PlanFlag{"wal", &PlanRange::wal},
};

void read_options(PlanRange& plan, std::string_view options) {
    for (const std::string_view option : text::split(options, '|')) {
        const auto* row = std::ranges::find(plan_flags, option, &PlanFlag::name);
        if (row != plan_flags.end()) plan.*row->flag = true;
    }
}

// application/vnd.pgrst.plan+json; for="text/csv"; options=analyze|wal
std::string plan_name(const PlanRange& plan) {
    std::string out = "application/vnd.pgrst.plan+";
    out += plan.json ? "json" : "text";
    out += "; for=\"" + plan.name + "\"";
    std::string_view separator = "; options=";
    for (const PlanFlag& row : plan_flags) {
        if (!(plan.*row.flag)) continue;
        out.append(separator).append(row.name);
        separator = "|";
    }
    return out;
}

// A plan of a plan is none that anybody can make.
void read_plan_of(PlanRange& plan, std::string_view wanted) {
    std::string_view rest = wanted;
    const std::string name = text::lower(without_spaces(take_until(rest, ';')));
    if (name.starts_with("application/vnd.pgrst.plan")) {
        plan.media = Media::plan;
        plan.name = without_spaces(wanted);
        return;
    }
    const MediaRange range = parse_media_type(wanted);
    plan.media = range.media;
    plan.name = range.name;
}

}  // namespace

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

Parameter read_parameter(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return {text::lower(text::trim(text)), {}};
    std::string_view value = text::trim(text.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return {text::lower(text::trim(text.substr(0, equals))), value};
}

MediaRange parse_media_type(std::string_view text) {
    std::string_view rest = text;
    const std::string written = text::lower(without_spaces(take_until(rest, ';')));
    bool stripped = false;
    PlanRange plan;
    plan.json = written.ends_with("+json");
    const bool is_plan = written.starts_with("application/vnd.pgrst.plan");
    while (!rest.empty()) {
        const Parameter parameter = read_parameter(take_until(rest, ';'));
        if (parameter.name == "nulls") stripped = parameter.value == "stripped";
        if (is_plan && parameter.name == "for") read_plan_of(plan, parameter.value);
        if (is_plan && parameter.name == "options") read_options(plan, parameter.value);
    }
    MediaRange out;
    const auto* row = std::ranges::find(media_rows, std::string_view(written), &MediaRow::written);
    out.media = row == media_rows.end() ? Media::other : stripped ? row->stripped : row->plain;
    if (out.media == Media::plan) {
        out.name = plan_name(plan);
        out.plan = std::move(plan);
    } else {
        out.name = out.media == Media::other ? without_spaces(text) : full_name(out.media);
        while (out.name.ends_with(';')) out.name.pop_back();
    }
    return out;
}

}  // namespace millrace::request

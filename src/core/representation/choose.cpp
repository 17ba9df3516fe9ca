// Chooses the first media type that the request accepts and that something makes: a handler of the database for these rows, one
// for any rows, or what is built in.
#include <algorithm>
#include <optional>

#include "millrace/core/representation.hpp"
#include "millrace/core/text.hpp"

namespace millrace::representation {
namespace {

using request::Media;

constexpr std::string_view any_media = "*/*";
constexpr std::uint32_t bytea_oid = 17;

struct Wanted {
    Media media = Media::any;
    std::string_view name;
};

// Handlers of a relation take its rows as they are: a version that hides or reorders columns has other rows.
bool has_whole_rows(const routes::Resource& resource) {
    const std::vector<catalog::Column>& all = resource.relation->columns;
    return std::ranges::equal(resource.columns, all, [](const routes::ApiColumn& shown, const catalog::Column& column) {
        return shown.column == &column;
    });
}

bool takes(const catalog::MediaHandler& handler, const Offer& offer) {
    const catalog::Relation* relation = offer.resource == nullptr ? nullptr : offer.resource->relation;
    if (handler.function.schema != offer.schema && (relation == nullptr || handler.function.schema != relation->schema))
        return false;
    if (handler.relation.empty()) return true;
    return offer.every_column && relation != nullptr && handler.relation == relation->id() && has_whole_rows(*offer.resource);
}

const catalog::MediaHandler* find_handler(const Offer& offer, std::string_view media_type, bool of_relation) {
    for (const catalog::MediaHandler& handler : offer.handlers)
        if (handler.relation.empty() != of_relation && text::iequals(handler.media_type, media_type) && takes(handler, offer))
            return &handler;
    return nullptr;
}

// A function whose result is a media type already.
bool returns_media(const Offer& offer, std::string_view media_type) {
    return offer.function != nullptr && offer.every_column && !offer.function->returns_set &&
           !offer.function->media_type.empty() && text::iequals(offer.function->media_type, media_type);
}

Representation named(std::string_view media_type) {
    Representation out;
    out.name = media_type == any_media ? "application/octet-stream" : media_type;
    out.content_type = content_type(request::parse_media_type(out.name).media, out.name);
    return out;
}

Representation by_function(const catalog::Function& function) {
    Representation out = named(function.media_type);
    out.handled = true;
    out.form.output = sql::Output::body;
    out.form.body.kind = sql::BodyKind::value;
    const bool known = function.result_columns.size() == 1;
    out.form.body.binary = known && function.result_columns.front().base_type_oid == bytea_oid;
    return out;
}

Representation by_handler(const catalog::MediaHandler& handler, const Offer& offer) {
    Representation out = named(handler.media_type);
    out.handled = true;
    out.form.output = sql::Output::body;
    out.form.body.kind = sql::BodyKind::handler;
    out.form.body.handler = handler.function;
    out.form.body.binary = handler.binary;
    if (!handler.relation.empty()) out.form.body.rows_of = offer.resource->relation;
    return out;
}

Representation built_in(Media media, std::string_view name) {
    Representation out;
    out.name = name;
    out.content_type = content_type(media, name);
    out.one = media == Media::singular || media == Media::singular_stripped;
    out.nulls_stripped = media == Media::array_stripped || media == Media::singular_stripped;
    if (media == Media::csv) out.form.output = sql::Output::text;
    if (media == Media::geojson) {
        out.form.output = sql::Output::body;
        out.form.body.kind = sql::BodyKind::features;
    }
    return out;
}

// In this order: what the rows' own handlers give (a "*/*" handler takes everything), what handlers of any rows give, what is
// built in.
std::optional<Representation> find_overridable(const Wanted& wanted, const Offer& offer) {
    for (const std::string_view media_type : {any_media, wanted.name}) {
        if (returns_media(offer, media_type)) return by_function(*offer.function);
        if (const auto* handler = find_handler(offer, media_type, true)) return by_handler(*handler, offer);
    }
    if (const auto* handler = find_handler(offer, wanted.name, false)) return by_handler(*handler, offer);
    if (wanted.media == Media::any) return built_in(Media::json, "application/json");
    if (wanted.media == Media::json || wanted.media == Media::csv || wanted.media == Media::geojson)
        return built_in(wanted.media, wanted.name);
    return std::nullopt;
}

std::optional<Representation> find(const Wanted& wanted, const Offer& offer) {
    switch (wanted.media) {
        case Media::singular:
        case Media::singular_stripped:
        case Media::array_stripped:
            return built_in(wanted.media, wanted.name);
        case Media::plan:
            return std::nullopt;
        case Media::json:
        case Media::csv:
        case Media::geojson:
        case Media::openapi:
        case Media::text:
        case Media::xml:
        case Media::octet_stream:
        case Media::other:
        case Media::any:
            break;
    }
    return find_overridable(wanted, offer);
}

// A plan is told of the whole answer, so Postgres makes the body of it whoever makes it otherwise.
std::optional<Representation> find_plan(const request::MediaRange& range, const Offer& offer) {
    const request::PlanRange& wanted = *range.plan;
    if (!offer.plans) return std::nullopt;
    auto of = find({wanted.media, wanted.name}, offer);
    if (!of) return std::nullopt;
    Representation out;
    out.name = range.name;
    out.content_type = content_type(Media::plan, range.name);
    out.handled = of->handled;
    out.form = of->form;
    out.form.explain = sql::Explain{wanted.json, wanted.analyze, wanted.verbose, wanted.settings, wanted.buffers, wanted.wal};
    if (of->form.output == sql::Output::text) out.form.body.kind = sql::BodyKind::csv;
    if (of->form.output == sql::Output::json) {
        out.form.body.kind = of->one ? sql::BodyKind::object : sql::BodyKind::array;
        out.form.body.nulls_stripped = of->nulls_stripped;
    }
    out.form.output = sql::Output::body;
    return out;
}

}  // namespace

Error not_acceptable(const std::vector<request::MediaRange>& accept) {
    std::string wanted;
    for (const request::MediaRange& range : accept) wanted += (wanted.empty() ? "" : ", ") + range.name;
    return Error::of(Fault::not_acceptable, "None of these media types are available: " + wanted);
}

bool selects_every_column(const request::ApiRequest& request) {
    if (!request.has_select) return true;
    if (request.select.size() != 1) return false;
    const auto* column = std::get_if<request::SelectColumn>(&request.select.front().node);
    return column != nullptr && column->field.column == "*" && column->aggregate == request::Aggregate::none;
}

Result<Representation> choose(const std::vector<request::MediaRange>& accept, const Offer& offer) {
    if (accept.empty()) return choose({request::MediaRange{}}, offer);
    for (const request::MediaRange& range : accept) {
        auto found = range.plan ? find_plan(range, offer) : find({range.media, range.name}, offer);
        if (found) return *std::move(found);
    }
    return not_acceptable(accept);
}

std::string content_type(Media media, std::string_view name) {
    std::string out(name);
    if (media != Media::other && media != Media::octet_stream && media != Media::any) out += "; charset=utf-8";
    return out;
}

}  // namespace millrace::representation

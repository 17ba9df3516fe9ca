// Words the two failures of an embed, PGRST200 and PGRST201, naming only what the version shows and, of what was not asked
// for, what everybody may read.
#include <algorithm>

#include "links.hpp"
#include "millrace/core/text.hpp"

namespace millrace::plan {
namespace {

using catalog::Cardinality;

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

std::optional<std::string> hint_for_missing(const routes::Resource& source, const std::string& wanted, const Options& options) {
    std::vector<std::string> targets;
    for (const routes::Link& link : source.links) {
        if (options.may_use && !options.may_use(*link.target)) continue;
        if (link.target->name == wanted) return std::nullopt;  // then it is the hint that is wrong
        if (link.target->relation->anonymous.select) targets.push_back(link.target->name);
    }
    return text::closest(wanted, targets);
}

std::string_view cardinality_name(Cardinality cardinality) {
    switch (cardinality) {
        case Cardinality::many_to_one:
            return "many-to-one";
        case Cardinality::one_to_many:
            return "one-to-many";
        case Cardinality::one_to_one_out:
        case Cardinality::one_to_one_in:
            return "one-to-one";
        case Cardinality::many_to_many:
            return "many-to-many";
    }
    return "";
}

// "(a, b)", hidden columns left out.
template <class Get>
std::string column_list(const routes::Resource* resource, const std::vector<catalog::ColumnPair>& pairs, Get get) {
    std::string out;
    for (const catalog::ColumnPair& pair : pairs) {
        const routes::ApiColumn* shown = resource == nullptr ? nullptr : resource->by_catalog_name(get(pair));
        if (shown != nullptr) out += (out.empty() ? "" : ", ") + shown->name;
    }
    return "(" + out + ")";
}

const std::string& from_of(const catalog::ColumnPair& pair) { return pair.from; }
const std::string& to_of(const catalog::ColumnPair& pair) { return pair.to; }

std::string describe_junction(const routes::Resource& source, const catalog::Junction& junction) {
    const routes::Resource* shown = shown_junction(source, junction);
    return (shown == nullptr ? std::string() : shown->name + " using ") + junction.first_constraint +
           column_list(shown, junction.from_source, to_of) + " and " + junction.second_constraint +
           column_list(shown, junction.to_target, from_of);
}

std::string describe(const routes::Resource& source, const routes::Link& link) {
    const catalog::Relationship& way = *link.relationship;
    if (way.junction) return describe_junction(source, *way.junction);
    return way.constraint + " using " + source.name + column_list(&source, way.columns, from_of) + " and " + link.target->name +
           column_list(link.target, way.columns, to_of);
}

void append_detail(std::string& out, const routes::Resource& source, const routes::Link& link) {
    out += "{\"cardinality\":";
    text::append_json_string(out, cardinality_name(link.relationship->cardinality));
    out += ",\"embedding\":";
    text::append_json_string(out, source.name + " with " + link.target->name);
    out += ",\"relationship\":";
    text::append_json_string(out, describe(source, link));
    out += '}';
}

std::string hint_of(const routes::Resource& source, const routes::Link& link) {
    const catalog::Relationship& way = *link.relationship;
    if (!way.junction) return way.constraint;
    const routes::Resource* shown = shown_junction(source, *way.junction);
    return shown == nullptr ? std::string() : shown->name;
}

}  // namespace

Error no_link(const routes::Resource& source, const request::SelectEmbed& embed, const Options& options) {
    const std::string parent = quoted(source.name), child = quoted(embed.relation);
    Error error = Error::of(Fault::no_relationship,
                            "Could not find a relationship between " + parent + " and " + child + " in the schema cache");
    error.details = "Searched for a foreign key relationship between " + parent + " and " + child +
                    (embed.hint.empty() ? "" : " using the hint " + quoted(embed.hint)) + " in the schema " +
                    quoted(source.relation->schema) + ", but no matches were found.";
    if (auto meant = hint_for_missing(source, embed.relation, options))
        error.hint = "Perhaps you meant " + quoted(*meant) + " instead of " + child + ".";
    return error;
}

Error ambiguous_link(const routes::Resource& source, const request::SelectEmbed& embed,
                     const std::vector<const routes::Link*>& found) {
    Error error = Error::of(Fault::ambiguous_relationship, "Could not embed because more than one relationship was found for " +
                                                               quoted(source.name) + " and " + quoted(embed.relation));
    std::string details = "[", hints;
    for (const routes::Link* link : found) {
        if (details.size() > 1) details += ',';
        append_detail(details, source, *link);
        const std::string hint = hint_of(source, *link);
        if (hint.empty()) continue;
        hints += (hints.empty() ? "" : ", ") + quoted(link->target->name + "!" + hint);
    }
    error.details = details + "]";
    error.details_is_json = true;
    error.hint = "Try changing " + quoted(embed.relation) + " to one of the following: " + hints +
                 ". Find the desired relationship in the 'details' key.";
    return error;
}

}  // namespace millrace::plan

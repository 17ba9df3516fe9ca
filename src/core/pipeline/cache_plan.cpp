// Decides whether an answer may be kept, under which key, and what must change for it to be wrong.
#include "cache_plan.hpp"

#include <algorithm>

#include "exposure.hpp"
#include "marks.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

void sort_once(std::vector<fence::Tag>& tags) {
    std::ranges::sort(tags);
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
}

bool same_key(const catalog::Relation& a, const catalog::Relation& b) {
    return a.primary_key == b.primary_key && std::ranges::all_of(a.primary_key, [&](const std::string& name) {
               return a.column(name)->type_oid == b.column(name)->type_oid;
           });
}

// Its tables other than itself are those that it is a partition or child of: not those that its policies read, which may look
// at any row.
void add_root(CachePlan& out, const catalog::Relation& root, const catalog::Catalog& catalog) {
    for (const fence::Tag& tag : root.base_tables) {
        const auto name = catalog::parse_tag(tag);
        const catalog::Relation* table = name ? catalog.find(name->schema, name->name) : nullptr;
        const bool by_key = table != nullptr && table->told_by_key && same_key(root, *table);
        if (by_key) out.row_of.push_back(tag);
        out.tags.push_back(by_key ? fence::whole_tag(tag) : tag);
    }
}

CachePlan::KeyValue key_value(const catalog::Column& column, const std::string& text, std::size_t values) {
    CachePlan::KeyValue out{&column, text, std::nullopt};
    for (std::size_t value = 0; value < values; ++value)
        if (text == mark_of(value)) out.value = value;
    return out;
}

// plan::Read::by_full_key: the filters are one eq for each column of the key.
void add_key(CachePlan& out, const plan::ReadNode& root, std::size_t values) {
    for (const std::string& name : root.resource->relation->primary_key)
        for (const plan::Filter& filter : root.filters) {
            const auto& condition = std::get<plan::Condition>(filter.node);
            if (condition.field.column->name == name)
                out.row_key.push_back(key_value(*condition.field.column, condition.test.value, values));
        }
}

void add_tables(CachePlan& out, const plan::Plan& plan, const Work& work, std::size_t values) {
    const catalog::Catalog& catalog = *work.snapshot->catalog;
    const auto* read = std::get_if<plan::Read>(&plan);
    const bool one_row = read != nullptr && read->by_full_key && read->root.resource->relation->told_by_key &&
                         !read->root.resource->relation->row_security;
    if (!one_row) {
        out.tags = tags_of(plan, work);
        return;
    }
    add_key(out, read->root, values);
    add_root(out, *read->root.resource->relation, catalog);
    for (const plan::ReadNode& embed : read->root.embeds) {
        const auto more = plan::tables_behind(plan::Read{embed}, catalog);
        out.tags.insert(out.tags.end(), more.begin(), more.end());
    }
    const std::vector<fence::Tag>& declared = work.policies().depends_on;
    out.tags.insert(out.tags.end(), declared.begin(), declared.end());
}

// Nothing when a value is none of its column's type, so that nobody can say which row it names.
std::optional<std::vector<std::string>> row_key(const CachePlan& plan, std::span<const std::string> values) {
    std::vector<std::string> key;
    key.reserve(plan.row_key.size());
    for (const CachePlan::KeyValue& part : plan.row_key) {
        if (part.value && *part.value >= values.size()) return std::nullopt;
        auto canonical = catalog::key_text(*part.column, part.value ? values[*part.value] : part.text);
        if (!canonical) return std::nullopt;
        key.push_back(*std::move(canonical));
    }
    return key;
}

// Does anybody say when one of the tables changes? Where nobody does the answer is kept by its time alone, and needs no
// snapshot.
bool is_told_of(const std::vector<fence::Tag>& tags, const Work& work) {
    const auto watched = [&](const fence::Tag& tag) {
        const auto name = catalog::parse_tag(tag);
        const catalog::Relation* table = name ? work.snapshot->catalog->find(name->schema, name->name) : nullptr;
        return table == nullptr || table->watched;
    };
    return !work.policies().cache.by_time || tags.empty() || std::ranges::any_of(tags, watched);
}

std::string_view route_of(const Work& work) { return work.function == nullptr ? work.resource->name : work.function->route; }

// As the path of a URL names them.
void add_route(CachePlan& out, const Work& work) {
    const std::string version = "@" + text::percent_encode(work.api->version());
    out.tags.push_back(version);
    out.tags.push_back(version + (work.function == nullptr ? "/" + text::percent_encode(work.resource->name)
                                                           : "/rpc/" + text::percent_encode(work.function->name)));
}

// The function before a request may refuse it, or change anything else of its transaction; a handler may look at more of the
// request than the key tells; and a plan is of its moment.
bool is_of_its_own(const Work& work) {
    const representation::Representation& wanted = work.shape.representation;
    return !work.snapshot->settings.api.pre_request.empty() || wanted.handled || wanted.form.explain;
}

// What else of the request decides the bytes: the window that a Range header asked for, the count, the timezone, and what
// Preference-Applied says.
std::string window_and_preferences(const Work& work, const request::Preferences& preferences) {
    std::string out = std::to_string(work.shape.window.offset) + "-" + std::to_string(work.shape.window.limit.value_or(-1)) +
                      "/" + std::to_string(static_cast<int>(work.shape.count)) + "/" + preferences.timezone;
    for (const std::string& applied : work.shape.applied) (out += ',') += applied;
    return out;
}

// A caller with a token and one without are told different things of caching, though they have one role.
std::string identity_part(const auth::Identity& identity, const routes::CachePolicy& policy) {
    std::string claims = identity.authenticated ? "token " : "";
    if (policy.vary_claims) claims += auth::claim_values(identity.claims_json, *policy.vary_claims);
    return claims;
}

std::string make_key(const Work& work, const Asked& asked, std::string_view canonical_query) {
    const std::string base = asked.match.base();  // KeyParts only looks at them
    // An answer that was negotiated says so.
    const std::string schema = asked.match.api->table().schema + (asked.match.negotiated ? "!" : "");
    const std::string range = window_and_preferences(work, asked.api.preferences);
    const std::string claims = identity_part(asked.identity, work.policies().cache);
    cache::KeyParts parts;
    parts.version = base;
    parts.schema = schema;
    parts.resource = route_of(work);
    parts.query = canonical_query;
    parts.media = work.shape.representation.name;
    parts.range = range;
    parts.role = asked.identity.role;
    parts.claims = claims;
    parts.deployment = work.snapshot->fingerprint;
    return cache::make_key(parts);
}

}  // namespace

// Tags of the tables that are read, and of those that the route declares. The root of a call is no table but a type.
std::vector<fence::Tag> tags_of(const plan::Plan& plan, const Work& work) {
    const auto* call = std::get_if<plan::Call>(&plan);
    std::vector<fence::Tag> tags;
    if (call == nullptr || !call->rows.embeds.empty()) tags = plan::tables_behind(plan, *work.snapshot->catalog);
    const std::vector<fence::Tag>& declared = work.policies().depends_on;
    tags.insert(tags.end(), declared.begin(), declared.end());
    sort_once(tags);
    return tags;
}

std::optional<CachePlan> cache_plan(const Work& work, const plan::Plan& plan, const Asked& asked) {
    const routes::ResolvedPolicies& policies = work.policies();
    if (!work.safe || work.script.writes || policies.cache.ttl_s == 0 || is_of_its_own(work)) return std::nullopt;
    if (!may_keep(exposure_of(plan, *work.snapshot), policies, asked.identity.authenticated)) return std::nullopt;
    std::string canonical_query = asked.api.canonical_query;
    auto order = take_order(canonical_query, asked.values);
    if (!order) return std::nullopt;
    CachePlan out{make_key(work, asked, canonical_query), std::move(*order), {}, policies.cache};
    add_tables(out, plan, work, asked.values);
    out.fenced = is_told_of(tags_of(plan, work), work);
    add_route(out, work);
    sort_once(out.tags);
    return out;
}

std::vector<fence::Tag> entry_tags(const CachePlan& plan, std::span<const std::string> values) {
    std::vector<fence::Tag> tags;
    tags.reserve(plan.tags.size() + plan.row_of.size());
    tags = plan.tags;
    if (plan.row_of.empty()) return tags;
    const auto key = row_key(plan, values);
    for (const fence::Tag& table : plan.row_of) {
        fence::Tag tag = key ? fence::key_tag(table, *key) : table;
        const auto place = std::ranges::lower_bound(tags, tag);
        if (place == tags.end() || *place != tag) tags.insert(place, std::move(tag));
        if (!key) std::erase(tags, fence::whole_tag(table));  // whoever reads the table at large needs none of its own
    }
    return tags;
}

}  // namespace millrace::pipeline

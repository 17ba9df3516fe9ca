// Decides whether an answer may be kept, under which key, and what must change for it to be wrong.
#include "cache_plan.hpp"

#include <algorithm>

#include "marks.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

// Its rows may differ by role, claims or other settings of the transaction.
bool depends_on_session(const catalog::Relation& relation) { return relation.row_security || relation.reads_session; }

// Rows that depend on who asks or on the clock are not told apart by role and tags, and without triggers nobody says when a
// table changes.
bool cacheable(const std::vector<const catalog::Relation*>& relations, bool sees_refreshes) {
    return std::ranges::all_of(relations, [&](const catalog::Relation* relation) {
        return relation->watched && (sees_refreshes || !relation->reads_materialized) && !relation->is_volatile &&
               !depends_on_session(*relation);
    });
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
        (by_key ? out.row_of : out.tags).push_back(tag);
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

void add_tables(CachePlan& out, const plan::Plan& plan, const catalog::Catalog& catalog, std::size_t values) {
    const auto* read = std::get_if<plan::Read>(&plan);
    const bool one_row = read != nullptr && read->by_full_key && read->root.resource->relation->told_by_key &&
                         !read->root.resource->relation->row_security;
    if (!one_row) {
        out.tags = plan::tables_behind(plan, catalog);
        return;
    }
    add_key(out, read->root, values);
    add_root(out, *read->root.resource->relation, catalog);
    for (const plan::ReadNode& embed : read->root.embeds) {
        const auto more = plan::tables_behind(plan::Read{embed}, catalog);
        out.tags.insert(out.tags.end(), more.begin(), more.end());
    }
}

bool calls_what_may_change(const plan::Plan& plan) {
    const auto* read = std::get_if<plan::Read>(&plan);
    return read != nullptr &&
           plan::most_volatile_function(*read).value_or(catalog::Volatility::immutable) != catalog::Volatility::immutable;
}

}  // namespace

std::optional<CachePlan> cache_plan(const Work& work, const plan::Plan& plan, const routes::Match& match,
                                    std::string canonical_query, const auth::Identity& identity, std::size_t values) {
    const routes::CachePolicy& policy = work.resource->policies.cache;
    const catalog::Catalog& catalog = *work.snapshot->catalog;
    // A handler may look at more of the request than the key tells, and a plan is of its moment.
    if (work.shape.representation.handled || work.shape.representation.form.explain) return std::nullopt;
    if (work.script.writes || policy.ttl_s == 0 || calls_what_may_change(plan)) return std::nullopt;
    const bool sees_refreshes = catalog.ddl_watched || work.snapshot->settings.cache.catalog_poll_ms > 0;
    if (!cacheable(plan::relations_behind(plan, catalog), sees_refreshes)) return std::nullopt;
    auto order = take_order(canonical_query, values);
    if (!order) return std::nullopt;
    // What else of the request decides the bytes: the representation, the window that a Range header asked for, the count.
    const std::string range = std::to_string(work.shape.window.offset) + "-" +
                              std::to_string(work.shape.window.limit.value_or(-1)) + "/" +
                              std::to_string(static_cast<int>(work.shape.count));
    const std::string base = match.base();  // KeyParts only looks at it
    cache::KeyParts parts;
    parts.version = base;
    parts.resource = work.resource->name;
    parts.query = canonical_query;
    parts.media = work.shape.representation.name;
    parts.range = range;
    parts.role = identity.role;
    parts.deployment = work.snapshot->fingerprint;
    CachePlan out{cache::make_key(parts), std::move(*order), {}, policy};
    add_tables(out, plan, catalog, values);
    const std::string version = "@" + text::percent_encode(work.api->version());
    out.tags.push_back(version);
    out.tags.push_back(version + "/" + text::percent_encode(work.resource->name));
    return out;
}

std::vector<fence::Tag> entry_tags(const CachePlan& plan, std::span<const std::string> values) {
    std::vector<fence::Tag> tags = plan.tags;
    std::vector<std::string> key;
    for (const CachePlan::KeyValue& part : plan.row_key) {
        const bool given = part.value && *part.value < values.size();
        if (part.value && !given) break;
        auto canonical = catalog::key_text(*part.column, given ? values[*part.value] : part.text);
        if (!canonical) break;
        key.push_back(*std::move(canonical));
    }
    for (const fence::Tag& table : plan.row_of) {
        if (key.size() != plan.row_key.size()) {
            tags.push_back(table);
            continue;
        }
        tags.push_back(fence::key_tag(table, key));
        tags.push_back(fence::whole_tag(table));
    }
    std::ranges::sort(tags);
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
    return tags;
}

}  // namespace millrace::pipeline

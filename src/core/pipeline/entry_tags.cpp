// Tells what an answer depends on: the tables behind it, or one row of them where the triggers tell of rows.
#include "entry_tags.hpp"

#include <algorithm>

#include "marks.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

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

bool is_of_one_row(const plan::Plan& plan) {
    const auto* read = std::get_if<plan::Read>(&plan);
    if (read == nullptr || !read->by_full_key) return false;
    const catalog::Relation& relation = *read->root.resource->relation;
    return relation.told_by_key && !relation.row_security;
}

void append(std::vector<fence::Tag>& to, const std::vector<fence::Tag>& tags) { to.insert(to.end(), tags.begin(), tags.end()); }

// "@v1/products", "@v1/rpc/top"
std::string route_of(const Work& work, const std::string& version) {
    if (work.function != nullptr) return version + "/rpc/" + text::percent_encode(work.function->name);
    return version + "/" + text::percent_encode(work.resource->name);
}

}  // namespace

// The root of a call is no table but a type.
std::vector<fence::Tag> table_tags(const plan::Plan& plan, const Work& work) {
    const auto* call = std::get_if<plan::Call>(&plan);
    std::vector<fence::Tag> tags;
    if (call == nullptr || !call->rows.embeds.empty()) tags = plan::tables_behind(plan, *work.snapshot->catalog);
    append(tags, work.policies().depends_on);
    std::ranges::sort(tags);
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
    return tags;
}

void add_tags(CachePlan& out, const plan::Plan& plan, const Work& work, std::size_t values) {
    const catalog::Catalog& catalog = *work.snapshot->catalog;
    if (is_of_one_row(plan)) {
        const plan::ReadNode& root = std::get<plan::Read>(plan).root;
        add_key(out, root, values);
        add_root(out, *root.resource->relation, catalog);
        for (const plan::ReadNode& embed : root.embeds) append(out.tags, plan::tables_behind(plan::Read{embed}, catalog));
        append(out.tags, work.policies().depends_on);
    } else {
        out.tags = table_tags(plan, work);
    }
    const std::string version = "@" + text::percent_encode(work.api->version());
    out.tags.push_back(version);
    out.tags.push_back(route_of(work, version));
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

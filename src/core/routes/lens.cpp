// Lays a route table over the catalog: which relations are resources, under which names, and how they hang together.
#include <algorithm>

#include "lens_functions.hpp"
#include "lens_relations.hpp"
#include "lens_resource.hpp"
#include "millrace/core/text.hpp"
#include "reader.hpp"

namespace millrace::routes {

using catalog::Catalog;
using catalog::Relation;
using catalog::Relationship;

struct LensBuilder {
    LensBuilder(const RouteTable& table, std::shared_ptr<const Catalog> catalog, const config::Settings& settings)
        : settings_(settings), api_(std::make_shared<ApiCatalog>(table, std::move(catalog))), table_(api_->table_) {}

    Lens build() && {
        for (const Relationship& way : api_->catalog().relationships) ways_.emplace(way.source, &way);
        for (const auto& [name, rule] : table_.resources) add_listed(name, rule);
        for (const auto& [name, rule] : table_.upstreams) add_upstream(name, rule);
        if (table_.expose_schema) add_exposed();
        for (const std::string& hidden : table_.hide)
            if (!names_function(hidden) && api_->catalog().find(table_.schema, hidden) == nullptr)
                unknown_relation(api_->catalog(), table_.schema, hidden, complaints("/hide"));
        auto functions = shown_functions(table_, api_->catalog(), settings_, findings_);
        if (!findings_.problems.empty()) return {nullptr, std::move(findings_.problems), std::move(findings_.warnings)};
        for (const auto& resource : api_->resources_) by_relation_.emplace(resource->relation->id(), resource.get());
        for (const auto& resource : api_->resources_) add_links(*resource);
        for (auto& function : functions) add_function(std::move(function));
        return {std::move(api_), {}, std::move(findings_.warnings)};
    }

private:
    [[nodiscard]] Complaints complaints(std::string path) { return {table_.file, std::move(path), findings_}; }

    void add_listed(const std::string& name, const ResourceRule& rule) {
        const std::string path = "/resources/" + pointer_token(name);
        const Relation* relation = find_relation(api_->catalog(), table_.schema, rule.relation);
        if (relation == nullptr)
            return unknown_relation(api_->catalog(), table_.schema, rule.relation, complaints(path + "/relation"));
        listed_.insert(relation);
        add_resource(name, *relation, rule, complaints(path));
    }

    // A relation that a rule lists is shown under that rule's name only.
    void add_exposed() {
        for (const Relation& relation : api_->catalog().relations) {
            if (relation.schema != table_.schema || relation.partition) continue;
            if (listed_.contains(&relation) || table_.hide.contains(relation.name)) continue;
            if (table_.upstreams.contains(relation.name)) continue;  // moved to a service of its own
            if (api_->by_name_.contains(relation.name)) {
                complaints("/resources/" + pointer_token(relation.name))
                    .add("",
                         "is also the name of a relation that \"expose\" shows: list that one under another name, or hide it");
                continue;
            }
            ResourceRule rule;
            rule.relation = relation.name;
            add_resource(relation.name, relation, rule, complaints("/defaults"));
        }
    }

    void add_resource(const std::string& name, const Relation& relation, const ResourceRule& rule, const Complaints& heard) {
        auto resource = std::make_unique<Resource>();
        resource->name = name;
        resource->relation = &relation;
        const std::vector<std::string> ways = computed_ways(relation);
        show_columns(*resource, rule, ways, heard);
        for (const std::string& way : ways)
            if (rule.hide.contains(way)) hidden_ways_.emplace(resource.get(), way);
        resource->policies = resolve_policies(relation, rule, table_.defaults, settings_, heard);
        check_filter_columns(*resource, rule, heard);
        resolve_dependencies(resource->policies, api_->catalog(), table_.schema, heard);
        api_->by_name_.emplace(resource->name, resource.get());
        api_->resources_.push_back(std::move(resource));
    }

    void add_upstream(const std::string& name, const UpstreamRule& rule) {
        ResolvedPolicies policies = resolve_upstream_policies(rule, table_.defaults, settings_);
        api_->upstreams_.push_back(std::make_unique<Upstream>(Upstream{name, rule.upstream, std::move(policies)}));
    }

    // Of the resource's own rule: defaults name columns that one resource has and another has not.
    static void check_filter_columns(const Resource& resource, const ResourceRule& rule, const Complaints& heard) {
        if (!rule.policies.filter_columns) return;
        for (std::size_t i = 0; i < rule.policies.filter_columns->size(); ++i)
            if (resource.readable((*rule.policies.filter_columns)[i]) == nullptr)
                heard.add("/filter_columns/" + std::to_string(i), "is no column that the resource shows");
    }

    void add_links(Resource& resource) const {
        const auto [first, last] = ways_.equal_range(resource.relation->id());
        for (auto at = first; at != last; ++at) {
            const Relationship& way = *at->second;
            if (way.junction && !reaches(*way.junction)) continue;
            if (way.function && hidden_ways_.contains({&resource, way.function->name})) continue;
            const auto [begin, end] = by_relation_.equal_range(way.target);
            for (auto target = begin; target != end; ++target) resource.links.push_back({target->second, &way});
        }
    }

    // Names of the functions that lead from the relation to others.
    [[nodiscard]] std::vector<std::string> computed_ways(const Relation& relation) const {
        std::vector<std::string> names;
        const auto [first, last] = ways_.equal_range(relation.id());
        for (auto at = first; at != last; ++at)
            if (at->second->function) names.push_back(at->second->function->name);
        return names;
    }

    // Its overloads come without what a call of them reads.
    void add_function(std::unique_ptr<ApiFunction> function) {
        for (Overload& overload : function->overloads) {
            const auto shown = by_relation_.find(overload.function->result_relation);
            const bool rows = returns_rows(*overload.function);
            if (rows && shown != by_relation_.end()) {
                overload.rows = overload.result = shown->second;
                continue;
            }
            ResultRows made = result_rows(*overload.function, *function);
            overload.result = made.resource.get();
            if (rows) overload.rows = overload.result;
            api_->function_relations_.push_back(std::move(made.relation));
            api_->function_results_.push_back(std::move(made.resource));
        }
        api_->functions_.push_back(std::move(function));
    }

    // A junction need not be a resource, but it must not be outside of what the version is about.
    [[nodiscard]] bool reaches(const catalog::Junction& junction) const {
        return junction.schema == table_.schema || by_relation_.contains(catalog::tag_of(junction.schema, junction.name));
    }

    const config::Settings& settings_;
    std::shared_ptr<ApiCatalog> api_;
    const RouteTable& table_;
    Findings findings_;
    std::set<const Relation*> listed_;
    std::multimap<std::string, const Resource*> by_relation_;
    std::multimap<std::string_view, const Relationship*> ways_;  // by source
    std::set<std::pair<const Resource*, std::string>> hidden_ways_;
};

Lens build_lens(const RouteTable& table, std::shared_ptr<const Catalog> catalog, const config::Settings& settings) {
    return LensBuilder(table, std::move(catalog), settings).build();
}

}  // namespace millrace::routes

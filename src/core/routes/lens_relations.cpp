// Finds the relations that a route table names, and tells what names nothing or nobody watches.
#include "lens_relations.hpp"

#include <algorithm>

#include "millrace/core/text.hpp"

namespace millrace::routes {

using catalog::Relation;

const Relation* find_relation(const catalog::Catalog& catalog, std::string_view schema, const std::string& written) {
    if (const Relation* relation = catalog.find(schema, written)) return relation;
    const auto dot = written.find('.');
    if (dot == std::string::npos) return nullptr;
    return catalog.find(std::string_view(written).substr(0, dot), std::string_view(written).substr(dot + 1));
}

void unknown_relation(const catalog::Catalog& catalog, std::string_view schema, const std::string& written,
                      const Complaints& complaints) {
    std::vector<std::string> names;
    for (const Relation& relation : catalog.relations)
        names.push_back(relation.schema == schema ? relation.name : relation.schema + "." + relation.name);
    complaints.add("", "there is no relation \"" + written + "\" in schema \"" + std::string(schema) + "\"",
                   text::closest(written, names).value_or(""));
}

// A table without triggers is no mistake: `millrace migrate` may be still to come. Until then nothing is kept by it.
void resolve_dependencies(ResolvedPolicies& policies, const catalog::Catalog& catalog, std::string_view schema,
                          const Complaints& complaints) {
    policies.depends_on_watched = !policies.cache.depends_on.empty();
    for (std::size_t i = 0; i < policies.cache.depends_on.size(); ++i) {
        const std::string& written = policies.cache.depends_on[i];
        const Complaints here{complaints.file, complaints.path + "/cache/depends_on/" + std::to_string(i), complaints.findings};
        const Relation* relation = find_relation(catalog, schema, written);
        if (relation == nullptr) {
            unknown_relation(catalog, schema, written, here);
            continue;
        }
        if (!relation->watched) {
            policies.depends_on_watched = false;
            here.warn("nobody says when " + relation->id() +
                      " changes, so nothing is kept by it: it has no triggers "
                      "(`millrace migrate`)");
        }
        policies.depends_on.insert(policies.depends_on.end(), relation->base_tables.begin(), relation->base_tables.end());
    }
    std::ranges::sort(policies.depends_on);
    policies.depends_on.erase(std::unique(policies.depends_on.begin(), policies.depends_on.end()), policies.depends_on.end());
}

}  // namespace millrace::routes

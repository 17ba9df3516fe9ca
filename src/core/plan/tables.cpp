// The base tables behind a plan: what a cached answer depends on, or what a write changes.
#include <algorithm>

#include "millrace/core/plan.hpp"

namespace millrace::plan {
namespace {

using Tables = std::vector<std::string>;

void add_relation(Tables& out, const routes::Resource& resource) {
    out.insert(out.end(), resource.relation->base_tables.begin(), resource.relation->base_tables.end());
}

void add_tree(Tables& out, const ReadNode& node) {
    add_relation(out, *node.resource);
    if (node.link != nullptr && node.link->relationship->junction) {
        const catalog::Junction& junction = *node.link->relationship->junction;
        out.push_back(junction.schema + "." + junction.name);
    }
    for (const ReadNode& embed : node.embeds) add_tree(out, embed);
}

void add_tables(Tables& out, const Read& read) { add_tree(out, read.root); }
void add_tables(Tables& out, const Insert& insert) { add_relation(out, *insert.resource); }
void add_tables(Tables& out, const Update& update) { add_relation(out, *update.resource); }
void add_tables(Tables& out, const Remove& remove) { add_relation(out, *remove.resource); }

}  // namespace

std::vector<std::string> tables_behind(const Plan& plan) {
    Tables out;
    std::visit([&](const auto& what) { add_tables(out, what); }, plan);
    std::ranges::sort(out);
    out.erase(std::unique(out.begin(), out.end()), out.end());  // std::ranges::unique: clang 14 cannot read its result
    return out;
}

}  // namespace millrace::plan

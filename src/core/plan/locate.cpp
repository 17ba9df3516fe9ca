// Walks a path of embeds down from the root; an embed goes by its alias, and as of old by its relation's name too.
#include "locate.hpp"

#include <algorithm>

namespace millrace::plan {

Error not_embedded(const ReadNode& node, const std::string& name) {
    Error error = Error::of(Fault::not_embedded, "'" + name + "' is not an embedded resource in this request");
    auto aliased = std::ranges::find(node.embeds, name, &ReadNode::name);
    if (aliased == node.embeds.end()) {
        error.hint = "Verify that '" + name + "' is included in the 'select' query parameter.";
        return error;
    }
    error.details = "Target names are not allowed in filters if they have an alias";
    error.hint = "Change '" + name + "' to '" + aliased->key + "' in filters, orders or limits.";
    return error;
}

Result<ReadNode*> locate(ReadNode& root, const request::EmbedPath& path, const Options& options) {
    ReadNode* node = &root;
    for (const std::string& name : path) {
        const auto embed = std::ranges::find_if(node->embeds, [&](const ReadNode& each) {
            return each.key == name || (options.legacy_target_names && each.name == name);
        });
        if (embed == node->embeds.end()) return not_embedded(*node, name);
        embed->named_by_relation |= embed->key != name;
        node = &*embed;
    }
    return node;
}

}  // namespace millrace::plan

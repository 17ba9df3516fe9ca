// Warns of embeds that are called by their relation's name although they have an alias.
#include "warning.hpp"

namespace millrace::pipeline {

std::string warning_of(const plan::Plan& plan) {
    std::string renames;
    for (const plan::LegacyName& each : plan::legacy_names(plan))
        renames += (renames.empty() ? "`" : ", `") + each.name + "` to `" + each.alias + "`";
    // Nothing in it may end the quotes or the field.
    for (const char c : renames)
        if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' ' || c == '\x7f') return {};
    if (renames.empty()) return {};
    return "299 millrace \"Embedded resource was referenced by relation name even though it has an alias. This is deprecated "
           "and will stop working in a future release. Update " +
           renames + " in query string filters, orders or limits.\"";
}

}  // namespace millrace::pipeline

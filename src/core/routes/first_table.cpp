// Writes a first route table for a schema: it shows everything, and teaches how to show less.
#include <algorithm>

#include "millrace/core/routes.hpp"
#include "millrace/core/text.hpp"

namespace millrace::routes {
namespace {

// Also inside of comments, so that a name with a line break cannot end one.
std::string json(std::string_view s) {
    std::string out;
    text::append_json_string(out, s);
    return out;
}

constexpr std::string_view opening =
    R"(// A version is a lens over the database: this file says what it shows, under which names, and with which policies.
// `millrace check` reads it against the database and names every mistake; SIGHUP puts a changed file to use.
// The version's name is this file's name, "v1" for v1.json, unless "version" says otherwise.
{
    "$schema": "../routes.schema.json",
    "schema": )";

constexpr std::string_view body = R"(,

    // "schema": every table and view is a resource under its own name, every function is rpc/<name>, and so is what a migration
    // adds later.
    // "listed": only what "resources" names.
    "expose": "schema",

    // Tables, views and functions ("rpc/name") that are nobody's business.
    "hide": [],

    // What holds for every resource unless it says otherwise.
    "defaults": {
        // Answers are kept for "ttl_s" seconds, and not that long when the database says that they have changed: that needs the
        // triggers of `millrace migrate`. Clients keep answers for "max_age_s" seconds without asking again.
        "cache": {"ttl_s": 10, "max_age_s": 0, "shared": false},
        "page_size_max": 1000
    },

    // When a second version is there: since when this one is deprecated, until when it is served, and what comes after it.
    // "deprecated": "2030-01-01", "sunset": "2031-01-01", "successor": "v2", "docs_url": "https://example.com/move",

    // Resources that differ from the defaults: other names, fewer columns, fewer methods, other policies.
    "resources": {
)";

// A line for each relation, to be uncommented; the first columns stand for what could be renamed or hidden.
std::string example_of(const catalog::Function& function) {
    const std::string name = json("rpc/" + function.name);
    const bool reads = function.volatility != catalog::Volatility::is_volatile;
    return "        // " + name + ": {\"function\": " + json(function.name) +
           ", \"methods\": " + (reads ? "[\"GET\"]" : "[\"POST\"]") + "},\n";
}

std::string example_of(const catalog::Relation& relation) {
    std::string line = "        // " + json(relation.name) + ": {\"relation\": " + json(relation.name);
    if (!relation.columns.empty()) line += ", \"rename\": {\"other_name\": " + json(relation.columns.front().name) + "}";
    if (relation.columns.size() > 1) line += ", \"hide\": [" + json(relation.columns.back().name) + "]";
    return line + ", \"methods\": [\"GET\"]},\n";
}

}  // namespace

std::string first_route_table(const catalog::Catalog& catalog, const std::string& schema) {
    constexpr std::size_t examples_max = 20;
    std::string out(opening);
    out += json(schema);
    out += body;
    std::size_t examples = 0;
    for (const catalog::Relation& relation : catalog.relations)
        if (relation.schema == schema && !relation.partition && examples++ < examples_max) out += example_of(relation);
    examples = 0;
    const catalog::Function* last = nullptr;  // overloads stand side by side
    for (const catalog::Function& function : catalog.functions) {
        if (function.schema != schema || (last != nullptr && last->name == function.name)) continue;
        last = &function;
        if (examples++ < examples_max) out += example_of(function);
    }
    return out += "    }\n}\n";
}

}  // namespace millrace::routes

// Query parameters and header fields of OpenAPI 3.1: what shapes a read or a write, and a filter for each column.
#include <algorithm>
#include <array>

#include "openapi.hpp"
#include "shared.hpp"
#include "types.hpp"

namespace millrace::openapi {
namespace {

using routes::ApiColumn;
using routes::Resource;

struct Common {
    std::string_view key, name, in, description, schema;
    unsigned uses;  // a bit for each Use
};

constexpr unsigned bit(Use use) { return 1U << static_cast<unsigned>(use); }
constexpr unsigned reads = bit(Use::read), rows = bit(Use::read) | bit(Use::call), filtered = bit(Use::read) | bit(Use::change),
                   writes = bit(Use::insert) | bit(Use::upsert) | bit(Use::change), posts = bit(Use::insert);

constexpr std::string_view a_string = R"({"type":"string"})", a_count = R"({"type":"integer","minimum":0})";

constexpr std::array common = {
    Common{"select", "select", "query", "Columns, casts, JSON paths and embedded resources: `id,name,owner(name)`", a_string,
           rows | writes},
    Common{"order", "order", "query", "`price.desc.nullslast,id`", a_string, rows},
    Common{"limit", "limit", "query", "Rows at most", a_count, rows},
    Common{"offset", "offset", "query", "Rows to leave out first", a_count, rows},
    Common{"and", "and", "query", "All of these hold: `(price.gt.1,price.lt.9)`", a_string, filtered},
    Common{"or", "or", "query", "One of these holds: `(price.lt.1,price.gt.9)`", a_string, filtered},
    Common{"columns", "columns", "query", "The columns that are written, whatever else the body brings", a_string,
           bit(Use::insert) | bit(Use::upsert) | bit(Use::change)},
    Common{"on_conflict", "on_conflict", "query", "Columns that tell a row that is there already", a_string, posts},
    Common{"range", "Range", "header", "Rows by their place: `0-24`", a_string, reads},
    Common{"preferRead", "Prefer", "header", "`count=exact`, `count=planned`, `count=estimated`", a_string, rows},
    Common{"preferWrite", "Prefer", "header",
           "`return=minimal`, `return=headers-only`, `return=representation`, `resolution=merge-duplicates`, "
           "`resolution=ignore-duplicates`, `missing=default`, `max-affected=1`",
           a_string, writes},
};

bool is_common(std::string_view name) {
    return std::ranges::any_of(common, [&](const Common& each) { return each.in == "query" && each.name == name; });
}

std::string filter_key(const Resource& resource, const ApiColumn& column) {
    return component_key(resource.name) + "-" + component_key(column.name);
}

// A column whose name means something else in a query cannot be described.
bool is_filterable(const ApiColumn& column) { return is_plain(column) && !is_common(column.name); }

void write_filter(JsonWriter& out, const Resource& resource, const ApiColumn& column) {
    out.object(filter_key(resource, column), [&] {
        out.text("name", column.name);
        out.text("in", "query");
        out.text("description", "An operator and a value, as `eq.5`, `not.is.null`, `in.(1,2)`");
        out.key("schema");
        out.raw(a_string);
    });
}

using message::Method;

bool reads_rows(const GrantedResource& granted) { return granted.select && granted.resource->allows(Method::get); }
bool inserts_rows(const GrantedResource& granted) { return granted.insert && granted.resource->allows(Method::post); }
bool upserts_rows(const GrantedResource& granted) {
    return granted.insert && granted.update && granted.resource->allows(Method::put);
}
bool changes_rows(const GrantedResource& granted) {
    return (granted.update && granted.resource->allows(Method::patch)) ||
           (granted.del && granted.resource->allows(Method::del));
}

unsigned uses_of(const Description& description) {
    unsigned uses = 0;
    for (const GrantedResource& granted : description.grants.resources) {
        if (reads_rows(granted)) uses |= bit(Use::read);
        if (inserts_rows(granted)) uses |= bit(Use::insert);
        if (upserts_rows(granted)) uses |= bit(Use::upsert);
        if (changes_rows(granted)) uses |= bit(Use::change);
    }
    return description.grants.functions.empty() ? uses : uses | bit(Use::call);
}

// Of an upsert the key's columns are the filters.
bool filters(const Resource& resource, const ApiColumn& column, Use use) {
    switch (use) {
        case Use::read:
        case Use::change:
            return is_filterable(column);
        case Use::upsert:
            return is_filterable(column) && is_key(resource, column);
        case Use::insert:
        case Use::call:
            return false;
    }
    return false;
}

void write_argument(JsonWriter& out, const catalog::Parameter& parameter) {
    out.object([&] {
        out.text("name", parameter.name);
        out.text("in", "query");
        if (!parameter.has_default && !parameter.variadic) out.flag("required", true);
        out.object("schema", [&] {
            if (parameter.variadic)  // once for each value
                write_value_schema(out, parameter.type);
            else if (is_array(parameter.type))  // {1,2}
                out.text("type", "string");
            else
                write_value_schema(out, parameter.type);
        });
    });
}

}  // namespace

void write_parameters(JsonWriter& out, const Description& description) {
    const unsigned uses = uses_of(description);
    out.object("parameters", [&] {
        for (const Common& each : common) {
            if ((each.uses & uses) == 0) continue;
            out.object(each.key, [&] {
                out.text("name", each.name);
                out.text("in", each.in);
                out.text("description", each.description);
                out.key("schema");
                out.raw(each.schema);
            });
        }
        for (const GrantedResource& granted : description.grants.resources) {
            const bool all = reads_rows(granted) || changes_rows(granted);
            for (const ApiColumn& column : granted.resource->columns)
                if ((all && filters(*granted.resource, column, Use::read)) ||
                    (upserts_rows(granted) && filters(*granted.resource, column, Use::upsert)))
                    write_filter(out, *granted.resource, column);
        }
    });
}

void write_parameter_references(JsonWriter& out, const Resource& resource, Use use) {
    out.array("parameters", [&] {
        for (const ApiColumn& column : resource.columns)
            if (filters(resource, column, use)) out.reference("#/components/parameters/" + filter_key(resource, column));
        for (const Common& each : common)
            if ((each.uses & bit(use)) != 0) out.reference("#/components/parameters/" + std::string(each.key));
    });
}

// Arguments come first: one that is named like what shapes a read is the argument.
void write_call_parameters(JsonWriter& out, const catalog::Function& function, bool as_query, bool returns_rows) {
    const auto& parameters = function.parameters;
    out.array("parameters", [&] {
        if (as_query)
            for (const catalog::Parameter& parameter : parameters)
                if (!parameter.name.empty()) write_argument(out, parameter);
        for (const Common& each : common) {
            if ((each.uses & bit(Use::call)) == 0 || (!returns_rows && each.in == "query")) continue;
            const bool taken = std::ranges::find(parameters, each.name, &catalog::Parameter::name) != parameters.end();
            if (!as_query || !taken) out.reference("#/components/parameters/" + std::string(each.key));
        }
    });
}

}  // namespace millrace::openapi

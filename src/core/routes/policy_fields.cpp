// The keys of a route table that any kind of route may have: its policies.
#include <array>

#include "field_readers.hpp"
#include "millrace/core/rate.hpp"
#include "millrace/core/request.hpp"

namespace millrace::routes {
namespace {

using message::Method;

// Keys that are left out keep what the defaults say.
void cache(Reader& reader, const Place& place, Policies& out) {
    if (!reader.is_object(place)) return;
    CachePolicy policy = out.cache.value_or(CachePolicy{});
    for (const auto& [key, value] : place.value.items()) {
        if (read_field(reader, place, key, cache_fields(), policy)) continue;
        std::vector<std::string> known;
        append_names(known, cache_fields());
        reader.unknown_key(place, key, known);
    }
    out.cache = policy;
}

void reads(Reader& reader, const Place& place, Policies& out) {
    if (const auto at = reader.read_choice(place, {"primary", "standby"})) out.standby = *at == 1;
}

void route_class(Reader& reader, const Place& place, Policies& out) {
    constexpr std::array classes{RouteClass::automatic, RouteClass::fast, RouteClass::slow};
    if (const auto at = reader.read_choice(place, {"auto", "fast", "slow"})) out.route_class = classes[*at];
}

void methods(Reader& reader, const Place& place, Policies& out) {
    static const std::vector<std::string> names{"GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE"};
    constexpr std::array values{Method::get,   Method::head, Method::options, Method::post,
                                Method::patch, Method::put,  Method::del};
    std::vector<std::string> written;
    if (!reader.read(place, written)) return;
    std::vector<Method> chosen;
    for (std::size_t i = 0; i < written.size(); ++i) {
        const Place item{place.value[i], place.path + "/" + std::to_string(i)};
        if (const auto at = reader.read_choice(item, names)) chosen.push_back(values[*at]);
    }
    out.methods = std::move(chosen);
}

template <auto Member>
void optional_names(Reader& reader, const Place& place, Policies& out) {
    std::vector<std::string> names;
    if (reader.read(place, names)) out.*Member = std::move(names);
}

// A route that is public or asks for a token alone asks for no scopes, whatever the defaults do.
void auth(Reader& reader, const Place& place, Policies& out) {
    std::vector<std::string> scopes;
    if (!place.value.is_array()) {
        const auto at = reader.read_choice(place, {"public", "required"});
        if (!at) return;
        out.access = *at == 0 ? Access::anybody : Access::identified;
    } else if (reader.read(place, scopes)) {
        if (scopes.empty()) return reader.problem(place.path, "must be \"public\", \"required\" or at least one scope");
        out.access = Access::identified;
    }
    out.scopes = std::move(scopes);
}

void limits(Reader& reader, const Place& place, Policies& out) {
    std::vector<std::string> rules;
    if (!reader.read(place, rules)) return;
    for (std::size_t i = 0; i < rules.size(); ++i)
        if (auto rule = rate::parse_rule(rules[i]); !rule)
            reader.problem(place.path + "/" + std::to_string(i), rule.error().message);
    out.limits = std::move(rules);
}

void filter_operators(Reader& reader, const Place& place, Policies& out) {
    std::vector<std::string> names;
    if (!reader.read(place, names)) return;
    for (std::size_t i = 0; i < names.size(); ++i)
        if (!request::operator_named(names[i]))
            reader.problem(place.path + "/" + std::to_string(i), "is no operator of filters");
    out.filter_operators = std::move(names);
}

void priority(Reader& reader, const Place& place, Policies& out) {
    constexpr std::array priorities{Priority::low, Priority::normal, Priority::high};
    if (const auto at = reader.read_choice(place, {"low", "normal", "high"})) out.priority = priorities[*at];
}

void idempotency(Reader& reader, const Place& place, Policies& out) {
    constexpr std::array values{Idempotency::optional, Idempotency::required, Idempotency::off};
    if (const auto at = reader.read_choice(place, {"optional", "required", "off"})) out.idempotency = values[*at];
}

}  // namespace

const std::vector<Field<Policies>>& policy_fields() {
    static const std::vector<Field<Policies>> fields{
        {"cache", R"({"$ref": "#/$defs/cache"})", "How long answers are kept, and by whom.", cache},
        {"page_size_max", whole_number, "The most rows that one answer has; 0: no limit but that of the process.",
         optional_number<&Policies::page_size_max>},
        {"body_bytes_max", whole_number, "The longest body that a write may have.", optional_number<&Policies::body_bytes_max>},
        {"class", R"({"enum": ["auto", "fast", "slow"]})",
         "Which lanes its statements take; auto: by their shape and measured time.", route_class},
        {"reads", R"({"enum": ["primary", "standby"]})",
         "Where GET and HEAD are read; standby: at database.standby_url, as long as it is not behind what is known here.",
         reads},
        {"methods",
         R"({"type": "array", "items": {"enum": ["GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE"]}, "uniqueItems": true})",
         "Which methods are allowed, of those that the relation can do. HEAD comes with GET, OPTIONS is always there.",
         methods},
        {"auth",
         R"({"anyOf": [{"enum": ["public", "required"]}, {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}]})",
         "Who may use it: public, everybody, whatever auth.anonymous says; required, who has a token or an API key; a list, "
         "who "
         "has all of these scopes.",
         auth},
        {"limits", names_schema,
         "Limits of this route, besides those of the process: \"10/second burst 20 by key\", \"1000/day by ip\".", limits},
        {"cost", whole_number, "What one request takes of the limits, in tokens. Default: 1.",
         optional_number<&Policies::cost>},
        {"rows_per_cost", whole_number, "So many rows of an answer take one token more; 0: rows are free.",
         optional_number<&Policies::rows_per_cost>},
        {"timeout_ms", positive_number,
         "Longest that a request may take; a client may ask for less (Request-Timeout, Prefer: wait).",
         positive<&Policies::timeout_ms>},
        {"priority", R"({"enum": ["low", "normal", "high"]})", "Under load requests of low priority are refused first.",
         priority},
        {"lanes_max", positive_number, "Most connections to Postgres that the route takes at once, per worker.",
         positive<&Policies::lanes_max>},
        {"idempotency", R"({"enum": ["optional", "required", "off"]})",
         "Whether POST and PATCH honour an Idempotency-Key, and whether they need one.", idempotency},
        {"cors_origins", names_schema,
         "Origins that browsers may call this route from; empty: every one. Default: api.cors_origins.",
         optional_names<&Policies::cors_origins>},
        {"filters_max", whole_number, "Most conditions of one request.", optional_number<&Policies::filters_max>},
        {"embeds_max", whole_number, "Most embedded resources of one request.", optional_number<&Policies::embeds_max>},
        {"select_depth_max", positive_number, "Most levels of embeds within embeds.", positive<&Policies::select_depth_max>},
        {"answer_bytes_max", whole_number, "Longest body of an answer; 0: no limit.",
         optional_number<&Policies::answer_bytes_max>},
        {"cost_max", whole_number, "Reads that Postgres estimates to cost more are refused; 0: it is not asked.",
         optional_number<&Policies::cost_max>},
        {"filter_columns", names_schema, "Columns that filters and order may use; [] means none. Default: all.",
         optional_names<&Policies::filter_columns>},
        {"filter_operators", names_schema, "Operators that filters may use: \"eq\", \"in\", \"like\". Default: all.",
         filter_operators},
    };
    return fields;
}

}  // namespace millrace::routes

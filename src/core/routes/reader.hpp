// Reads typed values out of a route table's JSON; each mistake becomes one Problem and the reading goes on.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/routes.hpp"

namespace millrace::routes {

using Json = nlohmann::ordered_json;

// A value and where it stands.
struct Place {
    const Json& value;
    std::string path;  // JSON pointer

    [[nodiscard]] Place at(const std::string& key) const;
};

class Reader {
public:
    explicit Reader(std::string file) : file_(std::move(file)) {}

    void problem(const std::string& path, std::string message, std::string suggestion = {});
    void unknown_key(const Place& place, const std::string& key, const std::vector<std::string>& known);

    // Each says false, and leaves `out` as it is, after a problem.
    bool is_object(const Place& place);
    bool read(const Place& place, std::string& out);
    bool read(const Place& place, bool& out);
    bool read(const Place& place, std::uint64_t& out);
    bool read(const Place& place, std::vector<std::string>& out);
    bool read_date(const Place& place, std::optional<WallTime>& out);
    // One of `names`; its position.
    std::optional<std::size_t> read_choice(const Place& place, const std::vector<std::string>& names);

    [[nodiscard]] std::vector<config::Problem> take_problems() { return std::move(problems_); }

private:
    std::string file_;
    std::vector<config::Problem> problems_;
};

// "2026-06-01" (midnight UTC) or RFC 3339 "2026-06-01T12:00:00Z".
[[nodiscard]] std::optional<WallTime> parse_date(std::string_view s);

// "rpc/add": how a route table names a function.
constexpr std::string_view function_prefix = "rpc/";
[[nodiscard]] inline bool names_function(std::string_view key) { return key.starts_with(function_prefix); }

[[nodiscard]] std::string pointer_token(std::string_view key);  // RFC 6901 §4: '~' and '/' escaped

// What a key of an object means. The tables of fields are the one place where keys are named: reading, suggestions and the
// JSON Schema are made from them.
template <class T>
struct Field {
    std::string_view name;
    std::string_view schema;  // JSON Schema of the value
    std::string_view help;
    void (*read)(Reader&, const Place&, T&);
};

[[nodiscard]] const std::vector<Field<CachePolicy>>& cache_fields();
[[nodiscard]] const std::vector<Field<Policies>>& policy_fields();
[[nodiscard]] const std::vector<Field<ResourceRule>>& resource_fields();  // besides the policies
[[nodiscard]] const std::vector<Field<FunctionRule>>& function_fields();  // besides the policies
[[nodiscard]] const std::vector<Field<UpstreamPolicy>>& upstream_fields();
[[nodiscard]] const std::vector<Field<UpstreamRule>>& upstream_route_fields();  // besides the policies
[[nodiscard]] const std::vector<Field<RouteTable>>& table_fields();

// True when the field was known.
template <class T>
bool read_field(Reader& reader, const Place& place, const std::string& key, const std::vector<Field<T>>& fields, T& out) {
    for (const Field<T>& field : fields)
        if (field.name == key) return field.read(reader, place.at(key), out), true;
    return false;
}

template <class T>
void append_names(std::vector<std::string>& names, const std::vector<Field<T>>& fields) {
    for (const Field<T>& field : fields) names.emplace_back(field.name);
}

}  // namespace millrace::routes

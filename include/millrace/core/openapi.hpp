// A version described for machines: OpenAPI 2.0 as PostgREST gives it at the root, and OpenAPI 3.1. Both show what the caller
// has privileges for, under the names of the version.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/routes.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::openapi {

// PostgREST's openapi-mode. Disabled: the root and its description are not there.
enum class Mode : std::uint8_t { follow_privileges, ignore_privileges, disabled };

struct Options {
    Mode mode = Mode::follow_privileges;
    bool security = false;                   // OpenAPI 2.0 says that a token may be sent (openapi-security-active)
    std::vector<std::string> search_path{};  // schemas besides the version's own where calls look for types
    std::string server_url{};                // "https://api.example.com/base"; empty: as the request names the server
};

enum class Format : std::uint8_t { swagger, openapi };  // 2.0, 3.1

// Where the version is reached.
struct Server {
    std::string scheme = "http";
    std::string host;             // with its port; empty when nobody knows
    std::string base_path = "/";  // of the version's root
};

// `prefix`: the path of the version's root as this process is asked for it, "/v1".
[[nodiscard]] Server server_of(std::string_view server_url, std::string_view host, std::string_view prefix);
[[nodiscard]] bool valid_server_url(std::string_view url);

struct GrantedResource {
    const routes::Resource* resource = nullptr;
    bool select = true, insert = true, update = true, del = true;
};
struct GrantedFunction {
    const routes::ApiFunction* function = nullptr;
    std::vector<const routes::Overload*> overloads;  // fewest parameters first
};

// What a caller may reach of a version, by name, and what the comment of its schema says.
struct Grants {
    std::vector<GrantedResource> resources;
    std::vector<GrantedFunction> functions;
    std::optional<std::string> comment;
};

// One statement that Postgres answers in the caller's role, with one row of three columns.
[[nodiscard]] sql::Statement ask_grants(const routes::ApiCatalog& api, Mode mode);
[[nodiscard]] Grants read_grants(const routes::ApiCatalog& api, Mode mode, const sql::Rows& rows);

struct Description {
    const routes::ApiCatalog* api = nullptr;
    Grants grants;
    Server server;
    Options options;
};

[[nodiscard]] std::string write_swagger(const Description& description);  // OpenAPI 2.0
[[nodiscard]] std::string write_openapi(const Description& description);  // OpenAPI 3.1

}  // namespace millrace::openapi

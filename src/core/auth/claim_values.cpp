// Writes the claims that tell identities apart as a part of a key: no two different values have the same text.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "find_claim.hpp"
#include "millrace/core/auth.hpp"
#include "role_path.hpp"

namespace millrace::auth {
namespace {

using Json = nlohmann::json;  // sorts the members of objects

// Names of claims are often URLs: only what begins like a path is one.
bool is_path(std::string_view claim) { return claim.starts_with('.') || claim.starts_with('$'); }

// Integers beyond 64 bits are read as such, too. Two that differ in Postgres may be one double here.
bool has_inexact_number(const Json& value) {
    if (value.is_number_float()) return true;
    return value.is_structured() && std::any_of(value.begin(), value.end(), has_inexact_number);
}

}  // namespace

const Json* find_claim(const Json& claims, const std::string& claim) {
    if (is_path(claim)) {
        const auto path = read_role_path(claim);
        return path ? follow(claims, *path) : nullptr;
    }
    const auto at = claims.is_object() ? claims.find(claim) : claims.end();
    return at == claims.end() ? nullptr : &*at;
}

bool valid_claim(std::string_view claim) { return is_path(claim) ? read_role_path(claim).has_value() : !claim.empty(); }

std::string claim_values(std::string_view claims_json, const std::vector<std::string>& claims) {
    std::string out;
    if (claims.empty()) return out;
    const Json payload = Json::parse(claims_json, nullptr, false);
    bool exact = true;
    for (const std::string& claim : claims) {
        const Json* value = find_claim(payload, claim);
        // JSON ends by itself, so what follows cannot be taken for a part of it.
        out += value == nullptr ? "-" : "=" + value->dump(-1, ' ', false, Json::error_handler_t::replace);
        exact = exact && (value == nullptr || !has_inexact_number(*value));
    }
    // Then only those whose tokens say the very same in everything share answers.
    return exact ? out : out += claims_json;
}

}  // namespace millrace::auth

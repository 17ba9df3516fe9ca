// JWK and JWKS (RFC 7517) become keys.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base64url.hpp"
#include "key.hpp"

namespace millrace::auth {
namespace {

using Json = nlohmann::json;

constexpr std::size_t keys_max = 100;

std::optional<std::string> text_of(const Json& jwk, const char* name) {
    const auto at = jwk.find(name);
    if (at == jwk.end() || !at->is_string()) return std::nullopt;
    return at->get<std::string>();
}

std::optional<std::string> bytes_of(const Json& jwk, const char* name) {
    const auto text = text_of(jwk, name);
    return text ? decode_base64url(*text) : std::nullopt;
}

// "use" and "key_ops" (RFC 7517 §4.2, §4.3): may it verify at all?
bool may_verify(const Json& jwk) {
    if (const auto use = text_of(jwk, "use"); use && *use != "sig") return false;
    const auto operations = jwk.find("key_ops");
    if (operations == jwk.end() || !operations->is_array()) return true;
    return std::ranges::any_of(*operations, [](const Json& op) { return op == "verify" || op == "sign"; });
}

bool read_material(const Json& jwk, Key& out) {
    const auto kind = text_of(jwk, "kty");
    if (kind == "oct") {
        out.secret = bytes_of(jwk, "k").value_or("");
        return out.secret.size() >= 32;
    }
    if (kind == "RSA") {
        out.rsa = rsa_key(bytes_of(jwk, "n").value_or(""), bytes_of(jwk, "e").value_or(""));
        return out.rsa != nullptr;
    }
    const auto curve = text_of(jwk, "crv");
    const auto x = bytes_of(jwk, "x"), y = bytes_of(jwk, "y");
    if (kind != "EC" || !curve || !x || !y) return false;
    const auto* row = std::ranges::find(algorithms, std::string_view(*curve), &Algorithm::curve);
    if (row == algorithms.end() || curve->empty() || x->size() != row->coordinate_bytes || y->size() != row->coordinate_bytes)
        return false;
    out.curve = row->curve;
    out.ec = ec_key(row->curve, *x, *y);
    return out.ec != nullptr;
}

std::optional<Key> read_jwk(const Json& jwk) {
    Key out;
    if (!jwk.is_object() || !may_verify(jwk)) return std::nullopt;
    out.id = text_of(jwk, "kid");
    if (const auto name = text_of(jwk, "alg")) {
        out.only = find_algorithm(*name);
        if (out.only == nullptr) return std::nullopt;
    }
    if (!read_material(jwk, out)) return std::nullopt;
    if (out.only != nullptr && !out.fits(*out.only)) return std::nullopt;
    return out;
}

}  // namespace

std::optional<std::vector<Key>> read_jwks(std::string_view json) {
    const Json document = Json::parse(json, nullptr, false);
    if (!document.is_object()) return std::nullopt;
    std::vector<Key> out;
    const auto set = document.find("keys");
    if (set == document.end()) {
        if (auto key = read_jwk(document)) out.push_back(*std::move(key));
        return out;
    }
    if (!set->is_array() || set->size() > keys_max) return out;
    for (const Json& jwk : *set)
        if (auto key = read_jwk(jwk)) out.push_back(*std::move(key));
    return out;
}

}  // namespace millrace::auth

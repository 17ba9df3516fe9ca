// API keys: how they look, how they are told from other credentials, and what one that was found says of its bearer.
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base64url.hpp"
#include "bearer.hpp"
#include "failure.hpp"
#include "millrace/core/auth.hpp"
#include "millrace/core/text.hpp"

namespace millrace::auth {
namespace {

constexpr std::string_view prefix = "mr_";
constexpr std::size_t id_bytes = 9, secret_bytes = 32;      // 12 and 43 characters
constexpr std::size_t id_characters = 12, characters = 59;  // with the prefix, and '_' between

bool is_key(std::string_view text) { return text.starts_with(prefix); }

bool is_well_formed(std::string_view key) {
    return key.size() == characters && key[prefix.size() + id_characters] == '_' &&
           std::ranges::all_of(key, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

}  // namespace

// 256 random bits cannot be guessed however fast a hash is tried, so that one SHA-256 keeps them as well as a slow hash would.
NewApiKey make_api_key(std::span<const unsigned char, api_key_random_bytes> random) {
    static_assert(api_key_random_bytes == id_bytes + secret_bytes);
    const std::string_view bytes(reinterpret_cast<const char*>(random.data()), random.size());
    NewApiKey made;
    made.id = encode_base64url(bytes.substr(0, id_bytes));
    made.key = std::string(prefix) + made.id + "_" + encode_base64url(bytes.substr(id_bytes));
    made.hash = api_key_hash(made.key);
    return made;
}

text::Sha256 api_key_hash(std::string_view key) { return text::sha256(key); }

std::optional<std::string_view> api_key_of(const message::Request& request) {
    if (const auto token = bearer_token(request.header("Authorization")); token && !token->empty())
        return is_key(*token) ? token : std::nullopt;
    const std::string_view sent = text::trim(request.header("apikey"));
    return is_key(sent) ? std::optional(sent) : std::nullopt;
}

bool may_be_api_key(std::string_view key) { return is_well_formed(key); }

Error bad_api_key() { return refused(Fault::bad_api_key, "The API key is not valid"); }

Identity identity_of(const ApiKeyRow& row) {
    Identity identity;
    identity.role = row.role;
    identity.authenticated = true;
    identity.subject = row.id;
    identity.plan = row.plan;
    identity.scopes = " " + row.scopes + " ";
    identity.expires = row.expires;
    identity.claims_json = nlohmann::json{{"role", row.role}, {"sub", row.id}, {"scope", row.scopes}}.dump(
        -1, ' ', false, nlohmann::json::error_handler_t::replace);
    return identity;
}

}  // namespace millrace::auth

// Who is calling: the bearer token of a request becomes an Identity. Signatures are OpenSSL's work, the rules are ours.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/text.hpp"

namespace millrace::auth {

struct Identity {
    std::string role;         // empty: the anonymous role
    std::string claims_json;  // the verified payload, "{}" when anonymous
    bool authenticated = false;
    std::string subject{};  // who it is, as far as that is known: of a token its sub
    std::string scopes{};   // what it is good for, each between spaces: " a b "
    std::string plan{};     // which limits are its bearer's
    // In this time, skew included, the token need not be judged again.
    WallTime not_before = WallTime::min(), expires = WallTime::max();

    [[nodiscard]] bool has_scope(std::string_view scope) const;
};
// Of a caller who is remembered: the requests that he makes share it.
using IdentityPointer = std::shared_ptr<const Identity>;
[[nodiscard]] IdentityPointer unnamed();  // who brings nothing that tells who he is

// Verification keys read once from a secret: an HS secret, one JWK or a JWKS (RFC 7517). Immutable, shared by threads.
class Keys {
public:
    // An empty secret gives keys that verify nothing. `published`: a JWKS that somebody publishes, of which secrets do not
    // count; `algorithms`: those that may be used, where not all. Fails with no_jwt_secret when one of the two is no usable
    // key.
    static Result<std::shared_ptr<const Keys>> read(std::string_view secret, bool is_base64, std::string_view published = {},
                                                    const std::vector<std::string>& algorithms = {});
    virtual ~Keys() = default;
    [[nodiscard]] virtual bool empty() const = 0;
    // RFC 7515 §5.2 with RFC 8725: the algorithm must fit the key, "none" never, at most 16 KiB. Returns the payload.
    [[nodiscard]] virtual Result<std::string> verify(std::string_view token) const = 0;
    // Does the token name a key ("kid") that is not among them? One that is no token does not.
    [[nodiscard]] virtual bool lack_key_of(std::string_view token) const = 0;
};
[[nodiscard]] bool valid_algorithm(std::string_view name);  // "ES256"

// The same for a request's bearer token.
[[nodiscard]] bool lacks_key(const message::Request& request, const Keys& keys);

// For the check of a configuration: is this a path to a claim?
[[nodiscard]] bool valid_role_claim(std::string_view path);

// Does it name a claim: a member of the token's payload, or a path to a value in it, which begins with '.' or '$'?
[[nodiscard]] bool valid_claim(std::string_view claim);

// What these claims are, as one text: equal for two payloads only if every claim has the same JSON value in both, or is in
// neither. A claim that is null, one that is empty and one that is not there are three things.
[[nodiscard]] std::string claim_values(std::string_view claims_json, const std::vector<std::string>& claims);

// exp, nbf, iat with 30 s of skew, aud, and the role claim by JSON path (".role", ".a.b[0]"). PostgREST, "Authentication".
[[nodiscard]] Result<Identity> check_claims(std::string payload, const config::AuthSettings& settings, WallTime now);

// Authorization → Identity; no header is the anonymous identity, whether or not anybody lets it in. 401s carry
// WWW-Authenticate (RFC 6750 §3).
[[nodiscard]] Result<Identity> identify(const message::Request& request, const Keys& keys, const config::AuthSettings& settings,
                                        WallTime now);

// The same, with verified tokens remembered whole: bounded, and for as long as their own times allow. One thread; for one set
// of keys and settings.
class TokenCache {
public:
    explicit TokenCache(std::size_t entries_max) : entries_max_(entries_max) {}
    TokenCache(const TokenCache&) = delete;
    TokenCache& operator=(const TokenCache&) = delete;

    [[nodiscard]] Result<IdentityPointer> identify(const message::Request& request, const Keys& keys,
                                                   const config::AuthSettings& settings, WallTime now);
    void clear();  // other keys, or other settings
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::string token;
        IdentityPointer identity;
        bool used = false;  // since the hand last passed
    };
    using Entries = std::list<Entry>;  // newest first

    [[nodiscard]] IdentityPointer find(std::string_view token, WallTime now);
    void add(std::string_view token, const IdentityPointer& identity);
    void evict();

    std::size_t entries_max_;
    Entries entries_;
    Entries::iterator hand_ = entries_.end();  // what is looked at next; end: the oldest
    std::unordered_map<std::string_view, Entries::iterator, text::Hash> by_token_;
};

// "mr_<id>_<secret>". Postgres has the id and the SHA-256 of the whole: docs/gateway.md, "API keys".
struct NewApiKey {
    std::string id, key;
    text::Sha256 hash{};
};
inline constexpr std::size_t api_key_random_bytes = 41;
[[nodiscard]] NewApiKey make_api_key(std::span<const unsigned char, api_key_random_bytes> random);
[[nodiscard]] text::Sha256 api_key_hash(std::string_view key);

// Of Authorization: Bearer, else of the field apikey; nothing where the request brings no API key, or brings a token too.
[[nodiscard]] std::optional<std::string_view> api_key_of(const message::Request& request);
[[nodiscard]] bool may_be_api_key(std::string_view key);  // else nobody has to be asked
[[nodiscard]] Error bad_api_key();

struct ApiKeyRow {
    std::string id, role, scopes, plan;  // scopes with spaces between them
    WallTime expires = WallTime::max();
};
// Its claims are role, sub (the id) and scope, for row security to look at.
[[nodiscard]] Identity identity_of(const ApiKeyRow& row);

// What a caller without a role is told where there is no anonymous role.
[[nodiscard]] Error anonymous_refused();

}  // namespace millrace::auth

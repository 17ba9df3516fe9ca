// Verifies a token against the keys that were configured: RFC 7515 §5.2 with the rules of RFC 8725.
#include <openssl/err.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base64url.hpp"
#include "bearer.hpp"
#include "failure.hpp"
#include "key.hpp"
#include "millrace/core/auth.hpp"

namespace millrace::auth {
namespace {

using Json = nlohmann::json;

constexpr std::size_t token_bytes_max = 16 * 1024;

constexpr std::string_view cannot_decode = "JWT cryptographic operation failed";
constexpr std::string_view wrong_algorithm = "Wrong or unsupported encoding algorithm";
constexpr std::string_view no_key = "No suitable key or wrong key type";

struct Header {
    const Algorithm* algorithm = nullptr;
    std::optional<std::string> key_id;
};

Result<Header> read_header(std::string_view encoded) {
    const auto text = decode_base64url(encoded);
    if (!text) return refused(Fault::bad_jwt, cannot_decode);
    const Json json = Json::parse(*text, nullptr, false);
    if (!json.is_object()) return refused(Fault::bad_jwt, cannot_decode);
    // Extensions that must be understood are not understood here (RFC 7515 §4.1.11).
    if (json.contains("crit")) return refused(Fault::bad_jwt, wrong_algorithm, "Critical header parameters are not supported");
    const auto name = json.find("alg");
    if (name == json.end() || !name->is_string()) return refused(Fault::bad_jwt, cannot_decode);
    Header header;
    header.algorithm = find_algorithm(name->get_ref<const std::string&>());
    if (header.algorithm == nullptr) return refused(Fault::bad_jwt, wrong_algorithm, "The algorithm is not supported");
    const auto id = json.find("kid");
    if (id == json.end()) return header;
    if (!id->is_string()) return refused(Fault::bad_jwt, cannot_decode);
    header.key_id = id->get<std::string>();
    return header;
}

struct Parts {
    std::string_view header, payload, signature, signed_text;
};

Result<Parts> split(std::string_view token) {
    if (token.empty()) return refused(Fault::bad_jwt, "Empty JWT is sent in Authorization header");
    if (token.size() > token_bytes_max) return refused(Fault::bad_jwt, "JWT is too long");
    const auto dots = std::ranges::count(token, '.');
    if (dots != 2) return refused(Fault::bad_jwt, "Expected 3 parts in JWT; got " + std::to_string(dots + 1));
    const auto first = token.find('.'), second = token.find('.', first + 1);
    return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
                 token.substr(0, second)};
}

class ConfiguredKeys : public Keys {
public:
    ConfiguredKeys(std::vector<Key> keys, std::vector<std::string> algorithms)
        : keys_(std::move(keys)), algorithms_(std::move(algorithms)) {}

    [[nodiscard]] bool empty() const override { return keys_.empty(); }

    [[nodiscard]] Result<std::string> verify(std::string_view token) const override {
        auto parts = split(token);
        if (!parts) return std::move(parts).error();
        auto header = read_header(parts->header);
        if (!header) return std::move(header).error();
        if (!may_use(*header->algorithm)) return refused(Fault::bad_jwt, wrong_algorithm, "The algorithm is not allowed here");
        auto payload = decode_base64url(parts->payload);
        const auto signature = decode_base64url(parts->signature);
        if (!payload || !signature) return refused(Fault::bad_jwt, cannot_decode);
        if (auto checked = check(*header, parts->signed_text, *signature); !checked) return std::move(checked).error();
        return *std::move(payload);
    }

    [[nodiscard]] bool lack_key_of(std::string_view token) const override {
        const auto parts = split(token);
        if (!parts) return false;
        const auto header = read_header(parts->header);
        if (!header) return false;
        if (keys_.empty()) return true;
        if (!header->key_id) return false;
        return std::ranges::none_of(keys_, [&](const Key& key) { return key.id == header->key_id; });
    }

private:
    [[nodiscard]] bool may_use(const Algorithm& algorithm) const {
        return algorithms_.empty() || std::ranges::find(algorithms_, algorithm.name) != algorithms_.end();
    }

    [[nodiscard]] Result<void> check(const Header& header, std::string_view signed_text, std::string_view signature) const {
        bool tried = false;
        for (const Key& key : keys_) {
            if ((header.key_id && header.key_id != key.id) || !key.fits(*header.algorithm)) continue;
            if (signature_holds(key, *header.algorithm, signed_text, signature)) return {};
            tried = true;
        }
        return refused(Fault::bad_jwt, no_key,
                       tried ? "None of the keys was able to decode the JWT" : "No suitable key was found to decode the JWT");
    }

    std::vector<Key> keys_;
    std::vector<std::string> algorithms_;
};

Result<std::vector<Key>> read_keys(std::string secret) {
    auto keys = read_jwks(secret);
    ERR_clear_error();  // a broken JWK leaves entries in this thread's queue
    if (keys && keys->empty()) return Error::of(Fault::no_jwt_secret, "The JWT secret holds no key that can verify a token");
    if (keys) return *std::move(keys);
    auto key = plain_secret(std::move(secret));
    if (!key) return Error::of(Fault::no_jwt_secret, "The JWT secret must be at least 32 characters long.");
    std::vector<Key> one;
    one.push_back(*std::move(key));
    return one;
}

// A secret that is published is none.
Result<std::vector<Key>> read_published(std::string_view jwks) {
    auto keys = read_jwks(jwks);
    ERR_clear_error();
    if (keys) std::erase_if(*keys, [](const Key& key) { return !key.secret.empty(); });
    if (!keys || keys->empty())
        return Error::of(Fault::no_jwt_secret, "The published JWKS holds no key that can verify a token");
    return *std::move(keys);
}

}  // namespace

Result<std::shared_ptr<const Keys>> Keys::read(std::string_view secret, bool is_base64, std::string_view published,
                                               const std::vector<std::string>& allowed) {
    std::vector<Key> keys;
    if (!secret.empty()) {
        std::string bytes(secret);
        if (is_base64) {
            auto decoded = decode_base64_secret(secret);
            if (!decoded) return Error::of(Fault::no_jwt_secret, "The JWT secret is no valid base64");
            bytes = *std::move(decoded);
        }
        auto own = read_keys(std::move(bytes));
        if (!own) return std::move(own).error();
        keys = *std::move(own);
    }
    if (!published.empty()) {
        auto theirs = read_published(published);
        if (!theirs) return std::move(theirs).error();
        std::ranges::move(*theirs, std::back_inserter(keys));
    }
    return std::shared_ptr<const Keys>(std::make_shared<ConfiguredKeys>(std::move(keys), allowed));
}

bool valid_algorithm(std::string_view name) { return find_algorithm(name) != nullptr; }

bool lacks_key(const message::Request& request, const Keys& keys) {
    const auto token = bearer_token(request.header("Authorization"));
    return token && keys.lack_key_of(*token);
}

}  // namespace millrace::auth

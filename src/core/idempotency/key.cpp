// Which requests are repeats of one another: whose key it is, and whether all else is the same.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "millrace/core/idempotency.hpp"

namespace millrace::idempotency {
namespace {

using Json = nlohmann::json;
using message::Method;

constexpr std::string_view field_name = "Idempotency-Key";
constexpr std::size_t key_bytes_max = 255;

Error bad_key(std::string why) { return Error::of(Fault::bad_idempotency_key).with_details(std::move(why)); }

// RFC 8941 §3.3.3, without parameters.
Result<std::string> unquote(std::string_view field) {
    std::string key;
    for (std::size_t i = 1; i < field.size(); ++i) {
        char c = field[i];
        if (c == '"') {
            if (i + 1 != field.size()) return bad_key("Nothing may follow the closing quote.");
            return key;
        }
        if (c == '\\') {
            c = i + 1 < field.size() ? field[++i] : '\0';
            if (c != '"' && c != '\\') return bad_key("A backslash may stand before a quote or a backslash only.");
        }
        if (c < 0x20 || c > 0x7E) return bad_key("It must be ASCII.");
        key += c;
    }
    return bad_key("The closing quote is missing.");
}

// A list of keys would be one key with a comma in it, were commas allowed.
bool is_bare(std::string_view field) {
    return std::ranges::all_of(field, [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != ',' && c != '\\'; });
}

// A digest of texts that cannot run into each other.
class Digest {
public:
    Digest& add(std::string_view text) {
        joined_ += std::to_string(text.size());
        joined_ += ':';
        joined_ += text;
        return *this;
    }
    [[nodiscard]] text::Sha256 end() const { return text::sha256(joined_); }

private:
    std::string joined_;
};

// A token that was renewed is the same caller's: what says when it was made, and which one it is, is left out.
Json lasting_claims(const std::string& claims_json) {
    Json claims = Json::parse(claims_json, nullptr, false);
    if (!claims.is_object()) return Json::object();
    for (const char* name : {"exp", "iat", "nbf", "jti"}) claims.erase(name);
    return claims;
}

std::string printed(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// RFC 7519 §4.1.2: a subject is unique within its issuer. A caller without one is whoever has all of the same claims.
void add_caller(Digest& digest, const auth::Identity& identity, const Json& claims) {
    digest.add(identity.authenticated ? "caller" : "anonymous").add(identity.role);
    const auto subject = claims.find("sub");
    if (subject == claims.end()) {
        digest.add("claims").add(printed(claims));
        return;
    }
    const auto issuer = claims.find("iss");
    digest.add("subject").add(issuer == claims.end() ? std::string() : printed(*issuer)).add(printed(*subject));
}

// What a repeat has to have in common with the first one. Claims that came or went may change the answer: then the key is not
// of use any more, but nothing is done twice.
text::Sha256 fingerprint_of(const message::Request& request, const Json& claims) {
    static constexpr std::array fields = {"Content-Type", "Content-Profile", "Accept", "Prefer", "If-Match", "If-None-Match"};
    Digest digest;
    digest.add(request.query).add(request.body).add(printed(claims));
    for (const char* field : fields) digest.add(request.header(field));
    return digest.end();
}

std::size_t lines_of(const message::Request& request) {
    return static_cast<std::size_t>(std::ranges::count_if(
        request.headers, [](const message::Header& header) { return text::iequals(header.name, field_name); }));
}

}  // namespace

Result<std::string> parse_key(std::string_view field) {
    if (field.starts_with('"')) {
        auto key = unquote(field);
        if (key && (key->empty() || key->size() > key_bytes_max)) return bad_key("It must have 1 to 255 characters.");
        return key;
    }
    if (field.empty() || field.size() > key_bytes_max) return bad_key("It must have 1 to 255 characters.");
    if (!is_bare(field)) return bad_key("It must be a quoted string, or visible ASCII without quotes, commas and backslashes.");
    return std::string(field);
}

Result<std::optional<Key>> key_of(const message::Request& request, const auth::Identity& identity, std::string_view route,
                                  routes::Idempotency policy) {
    const bool honoured = request.method == Method::post || request.method == Method::patch;
    if (!honoured || policy == routes::Idempotency::off) return std::optional<Key>();
    const std::size_t lines = lines_of(request);
    if (lines > 1) return bad_key("It must be there once.");
    if (lines == 0) {
        if (policy == routes::Idempotency::required) return Error::of(Fault::idempotency_key_required);
        return std::optional<Key>();
    }
    auto written = parse_key(request.header(field_name));
    if (!written) return std::move(written).error();
    const Json claims = lasting_claims(identity.claims_json);
    Digest id;
    id.add(*written).add(message::name(request.method)).add(route);
    add_caller(id, identity, claims);
    return std::optional(Key{id.end(), fingerprint_of(request, claims)});
}

}  // namespace millrace::idempotency

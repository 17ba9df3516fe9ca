// Requests that may be repeated (draft-ietf-httpapi-idempotency-key-header): their key, what makes two of them the same, and
// the statements that keep an answer in the transaction of its effect.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/auth.hpp"
#include "millrace/core/base.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/routes.hpp"
#include "millrace/core/sql.hpp"
#include "millrace/core/text.hpp"

namespace millrace::idempotency {

// The value of an Idempotency-Key: a string of RFC 8941 or, as most clients send it, the bare characters of one; 1 to 255 of
// them. Fails with bad_idempotency_key.
[[nodiscard]] Result<std::string> parse_key(std::string_view field);

// What an answer is kept under, and what it is the answer to.
struct Key {
    text::Sha256 id{};           // the key, for this caller, method and route
    text::Sha256 fingerprint{};  // everything else that the answer depends on
};

// Nothing when the request has no key, or none that its route honours. Fails with bad_idempotency_key and with
// idempotency_key_required. `route` names version and route: "v1/products".
[[nodiscard]] Result<std::optional<Key>> key_of(const message::Request& request, const auth::Identity& identity,
                                                std::string_view route, routes::Idempotency policy);

// What a transaction does first, as the login role: it takes the key for as long as it lasts. The last of them fails with one
// of these SQLSTATEs where the transaction may not go on.
inline constexpr std::string_view in_progress = "MR043", reused = "MR042", answered = "MR200";
[[nodiscard]] std::vector<sql::Statement> claim(const Key& key);

// What it does last: it keeps the answer, and goes on as `role` to whatever COMMIT runs. Fails with answer_too_large.
[[nodiscard]] Result<std::vector<sql::Statement>> keep(const Key& key, const message::Reply& reply, std::string_view role,
                                                       const config::IdempotencySettings& settings);

// Reads the answer that is kept.
[[nodiscard]] sql::Script find(const Key& key);
// The answer that find() brought, marked as a repeated one; nothing when there is none any more.
[[nodiscard]] std::optional<message::Reply> found(const sql::Results& results);

// What the client is told when claim() failed with this. `answered` is none of it.
[[nodiscard]] Error claim_error(Error error);
[[nodiscard]] Error under_way();

}  // namespace millrace::idempotency

// What is said to the functions that `millrace migrate` makes. They belong to the login role; whatever a request runs has
// another one, so each call of them is between two changes of the role.
#include <utility>

#include "millrace/core/idempotency.hpp"

namespace millrace::idempotency {
namespace {

// The search path is not trusted: a function of the request may have set it.
constexpr std::string_view change_role = "SELECT pg_catalog.set_config('role', $1, true)";
constexpr std::string_view claim_key = "SELECT millrace.claim_idempotency_key($1, $2)";
constexpr std::string_view keep_answer = "SELECT millrace.keep_idempotent_answer($1, $2, $3, $4, $5, $6)";
constexpr std::string_view find_answer =
    "SELECT a.status, pg_catalog.encode(a.headers, 'hex'), pg_catalog.encode(a.body, 'hex') "
    "FROM millrace.find_idempotent_answer($1, $2) AS a";

// As Postgres reads a bytea.
std::string bytea(std::span<const unsigned char> bytes) { return "\\x" + text::hex(bytes); }
std::string bytea(std::string_view bytes) { return bytea(text::bytes_of(bytes)); }

unsigned value_of(char digit) { return static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

std::string from_hex(std::string_view text) {
    std::string out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        out += static_cast<char>(value_of(text[i]) << 4 | value_of(text[i + 1]));
    return out;
}

sql::Statement statement(std::string_view text, std::vector<std::optional<std::string>> parameters) {
    return {std::string(text), std::move(parameters), text::hash64(text)};
}

sql::Statement as_role(std::string_view role) {
    return statement(change_role, {std::string(role.empty() ? std::string_view("none") : role)});
}

}  // namespace

std::vector<sql::Statement> claim(const Key& key) {
    return {as_role("none"), statement(claim_key, {bytea(key.id), bytea(key.fingerprint)})};
}

Result<std::vector<sql::Statement>> keep(const Key& key, const message::Reply& reply, std::string_view role,
                                         const config::IdempotencySettings& settings) {
    const std::string_view body = reply.body.view();
    if (body.size() > settings.answer_bytes_max)
        return Error::of(Fault::answer_too_large, "The answer is too large to be kept under an Idempotency-Key")
            .with_details("It has " + std::to_string(body.size()) + " bytes; " + std::to_string(settings.answer_bytes_max) +
                          " are kept. Nothing was done.")
            .with_hint("Ask for less by select, or for nothing by Prefer: return=minimal.");
    return std::vector{as_role("none"),
                       statement(keep_answer, {bytea(key.id), bytea(key.fingerprint), std::to_string(reply.status),
                                               bytea(reply.headers.lines()), bytea(body), std::to_string(settings.keep_s)}),
                       as_role(role)};
}

sql::Script find(const Key& key) {
    sql::Script script;
    script.statements = {as_role("none"), statement(find_answer, {bytea(key.id), bytea(key.fingerprint)})};
    script.main = 1;
    return script;
}

std::optional<message::Reply> found(const sql::Results& results) {
    const sql::Rows& rows = results[1];
    if (rows.count() == 0) return std::nullopt;
    message::Reply reply;
    reply.status = static_cast<int>(text::to_int(rows.at(0, 0)).value_or(500));
    reply.headers = message::HeaderBlock::from_lines(from_hex(rows.at(0, 1)));
    reply.headers.set("Idempotent-Replayed", "true");
    reply.body = from_hex(rows.at(0, 2));
    return reply;
}

Error under_way() { return Error::of(Fault::idempotency_in_progress).with_header("Retry-After", "1"); }

Error claim_error(Error error) {
    if (error.code == in_progress) return under_way();
    if (error.code == reused) return Error::of(Fault::idempotency_key_reused);
    // No function, no schema, no privilege: whoever set it up has not done so here.
    const bool not_there = error.code == "42883" || error.code == "3F000" || error.code == "42501";
    if (!not_there) return error;
    return Error::of(Fault::unsupported_feature, "An Idempotency-Key cannot be honoured here")
        .with_details("The database keeps no answers, so the request was not done.")
        .with_hint("Run millrace migrate, and let the server's role execute the functions that it makes.");
}

}  // namespace millrace::idempotency

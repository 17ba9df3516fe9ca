// Result, Error and its one table, and the notions of time that the pure half takes as arguments.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace millrace {

using Duration = std::chrono::steady_clock::duration;
using TimePoint = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

// A moment after which nobody waits for the answer any more.
struct Deadline {
    TimePoint at = TimePoint::max();

    [[nodiscard]] bool passed(TimePoint now) const { return now >= at; }
    [[nodiscard]] Duration left(TimePoint now) const { return passed(now) ? Duration::zero() : at - now; }
};

// What can go wrong, one row each in the table of src/core/base/error_table.cpp, which gives code, status and message.
// The PGRST codes and their statuses are PostgREST's ("Errors" in its reference); MR codes are ours.
enum class Fault : std::uint8_t {
    // Framing and limits: refused before anything trusts the request, the connection is closed afterwards.
    bad_framing,
    bad_host,
    head_too_large,
    target_too_long,
    body_too_large,
    length_required,
    unknown_transfer_coding,
    method_not_implemented,
    version_not_supported,
    request_timed_out,
    expectation_failed,
    // Gateway.
    overloaded,
    rate_limited,
    draining,
    deadline_passed,
    precondition_failed,
    not_in_cache,
    quota_exceeded,
    too_complex,
    too_costly,
    answer_too_large,
    filter_not_allowed,
    bad_idempotency_key,
    idempotency_key_required,
    idempotency_key_reused,
    idempotency_in_progress,
    bad_batch,
    batch_failed,
    batch_too_large,
    upstream_unavailable,
    upstream_failed,
    upstream_timed_out,
    circuit_open,
    // Versions and routes.
    no_such_version,
    version_is_gone,
    method_not_allowed,
    // The dialect.
    bad_query,
    bad_body,
    bad_range,
    unknown_media_type,
    unacceptable_schema,
    not_acceptable,
    not_embedded,
    not_singular,
    bad_preference,
    unsupported_method,
    openapi_disabled,
    unsupported_feature,
    aggregates_disabled,
    max_affected_violated,
    max_affected_of_one,
    no_relationship,
    ambiguous_relationship,
    no_function,
    ambiguous_function,
    no_column,
    no_relation,
    put_needs_all_keys,
    put_filters,
    put_window,
    related_order_not_to_one,
    embed_filter_not_null_test,
    bad_response_headers,
    bad_response_status,
    bad_raise,
    // Identity.
    no_jwt_secret,
    bad_jwt,
    anonymous_disabled,
    bad_jwt_claims,
    bad_api_key,
    identity_unavailable,
    auth_required,
    insufficient_scope,
    // Backends.
    database_unavailable,
    catalog_unavailable,
    lane_timeout,
    database_error,
    internal,
};

struct FaultRow {
    Fault fault;
    std::string_view code;
    int status;
    std::string_view message;
};

[[nodiscard]] const FaultRow& fault_row(Fault fault);

// A failure as a value: what the client is told (PostgREST's body {code, message, details, hint}) and nothing else.
struct Error {
    Fault fault = Fault::internal;
    std::string code;  // "PGRST204", "MR001" or a SQLSTATE
    int status = 500;  // HTTP
    std::string message;
    std::optional<std::string> details;  // plain text, or JSON when details_is_json
    std::optional<std::string> hint;
    bool details_is_json = false;
    std::vector<std::pair<std::string, std::string>> headers;  // Retry-After, Allow, WWW-Authenticate, …

    // Code, status and, when `message` is empty, the text come from the table.
    static Error of(Fault fault, std::string message = {});

    Error&& with_details(std::string text) &&;
    Error&& with_hint(std::string text) &&;
    Error&& with_header(std::string name, std::string value) &&;
};

// What Postgres said, as libpq reports it.
struct DatabaseMessage {
    std::string sqlstate, message, details, hint;
};

// Maps a SQLSTATE to a status as PostgREST does ("Errors", table "PostgreSQL errors"); 42501 is 401 for an anonymous caller,
// else 403. RAISE with SQLSTATE 'PTxyz' chooses the status, with 'PGRST' all of the answer ("Errors", "RAISE errors with HTTP
// Status Codes", "RAISE headers").
[[nodiscard]] Error database_error(DatabaseMessage message, bool authenticated);

// A value or an Error, with std::expected's member names; std::expected itself comes with C++23.
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    [[nodiscard]] T& value() & { return std::get<0>(state_); }
    [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
    [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    [[nodiscard]] Error& error() & { return std::get<1>(state_); }
    [[nodiscard]] const Error& error() const& { return std::get<1>(state_); }
    [[nodiscard]] Error&& error() && { return std::get<1>(std::move(state_)); }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    [[nodiscard]] bool has_value() const { return !error_; }
    explicit operator bool() const { return has_value(); }
    [[nodiscard]] Error& error() & { return *error_; }
    [[nodiscard]] const Error& error() const& { return *error_; }
    [[nodiscard]] Error&& error() && { return *std::move(error_); }

private:
    std::optional<Error> error_;
};

}  // namespace millrace

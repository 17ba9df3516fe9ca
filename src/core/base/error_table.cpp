// The one table of what can go wrong: fault → code, HTTP status and the default message.
#include <array>
#include <cstddef>

#include "millrace/core/base.hpp"

namespace millrace {
namespace {

// In the order of the enumeration, so that a fault is its own index; the unit test checks it.
constexpr std::array rows = {
    FaultRow{Fault::bad_framing, "MR001", 400, "The request is not well-formed HTTP"},
    FaultRow{Fault::bad_host, "MR002", 400, "The request needs exactly one valid Host"},
    FaultRow{Fault::head_too_large, "MR003", 431, "The request's header fields are too large"},
    FaultRow{Fault::target_too_long, "MR004", 414, "The request target is too long"},
    FaultRow{Fault::body_too_large, "MR005", 413, "The request body is too large"},
    FaultRow{Fault::length_required, "MR006", 411, "The request needs a Content-Length"},
    FaultRow{Fault::unknown_transfer_coding, "MR007", 501, "The only transfer coding understood is chunked"},
    FaultRow{Fault::method_not_implemented, "MR008", 501, "The method is not implemented"},
    FaultRow{Fault::version_not_supported, "MR009", 505, "Only HTTP/1.0 and HTTP/1.1 are spoken here"},
    FaultRow{Fault::request_timed_out, "MR010", 408, "The request did not arrive in time"},
    FaultRow{Fault::expectation_failed, "MR011", 417, "The only expectation met is 100-continue"},
    FaultRow{Fault::overloaded, "MR020", 503, "Too many requests are waiting"},
    FaultRow{Fault::rate_limited, "MR021", 429, "Too many requests"},
    FaultRow{Fault::draining, "MR022", 503, "The server is shutting down"},
    FaultRow{Fault::deadline_passed, "MR023", 504, "The deadline of the request passed"},
    FaultRow{Fault::precondition_failed, "MR024", 412, "What the condition names is not what is there now"},
    FaultRow{Fault::not_in_cache, "MR025", 504, "There is no answer in the cache, and only-if-cached allows no other"},
    FaultRow{Fault::quota_exceeded, "MR026", 429, "The quota is used up"},
    FaultRow{Fault::too_complex, "MR027", 400, "The request is more complex than this route allows"},
    FaultRow{Fault::too_costly, "MR028", 400, "The request would cost more than this route allows"},
    FaultRow{Fault::answer_too_large, "MR029", 413, "The answer would be larger than this route allows"},
    FaultRow{Fault::filter_not_allowed, "MR033", 400, "This route does not allow that filter"},
    FaultRow{Fault::bad_idempotency_key, "MR040", 400, "The Idempotency-Key is not valid"},
    FaultRow{Fault::idempotency_key_required, "MR041", 400, "This route needs an Idempotency-Key"},
    FaultRow{Fault::idempotency_key_reused, "MR042", 422, "The Idempotency-Key was used for another request"},
    FaultRow{Fault::idempotency_in_progress, "MR043", 409, "A request with this Idempotency-Key is under way"},
    FaultRow{Fault::bad_batch, "MR044", 400, "The batch is not well-formed"},
    FaultRow{Fault::batch_failed, "MR045", 400, "An operation of the batch failed, and nothing was done"},
    FaultRow{Fault::batch_too_large, "MR046", 413, "The batch has too many operations"},
    FaultRow{Fault::upstream_unavailable, "MR050", 503, "The service behind this route is not available"},
    FaultRow{Fault::upstream_failed, "MR051", 502, "The service behind this route gave no valid answer"},
    FaultRow{Fault::upstream_timed_out, "MR052", 504, "The service behind this route did not answer in time"},
    FaultRow{Fault::circuit_open, "MR053", 503, "The backend has failed too often and is left alone for a moment"},
    FaultRow{Fault::no_such_version, "MR030", 404, "There is no such version"},
    FaultRow{Fault::version_is_gone, "MR031", 410, "This version is no longer served"},
    FaultRow{Fault::method_not_allowed, "MR032", 405, "The method is not allowed here"},
    FaultRow{Fault::bad_query, "PGRST100", 400, "Could not parse the query string"},
    FaultRow{Fault::bad_body, "PGRST102", 400, "Empty or invalid json"},
    FaultRow{Fault::bad_range, "PGRST103", 416, "Requested range not satisfiable"},
    FaultRow{Fault::unknown_media_type, "PGRST107", 415, "The content type is not supported"},
    FaultRow{Fault::unacceptable_schema, "PGRST106", 406, "Invalid schema"},
    FaultRow{Fault::not_acceptable, "PGRST107", 406, "None of these media types are available"},
    FaultRow{Fault::not_embedded, "PGRST108", 400, "The resource is not embedded in this request"},
    FaultRow{Fault::not_singular, "PGRST116", 406, "Cannot coerce the result to a single JSON object"},
    FaultRow{Fault::bad_preference, "PGRST122", 400, "Invalid preferences given with handling=strict"},
    FaultRow{Fault::unsupported_method, "PGRST117", 405, "Unsupported HTTP method"},
    FaultRow{Fault::openapi_disabled, "PGRST126", 404, "Root endpoint metadata is disabled"},
    FaultRow{Fault::unsupported_feature, "PGRST127", 400, "Feature not implemented"},
    FaultRow{Fault::aggregates_disabled, "PGRST123", 400, "Use of aggregate functions is not allowed"},
    FaultRow{Fault::max_affected_violated, "PGRST124", 400, "Query result exceeds max-affected preference constraint"},
    FaultRow{Fault::max_affected_of_one, "PGRST128", 400,
             "Function must return SETOF or TABLE when max-affected preference is used with handling=strict"},
    FaultRow{Fault::no_relationship, "PGRST200", 400, "Could not find a relationship"},
    FaultRow{Fault::ambiguous_relationship, "PGRST201", 300, "Could not embed because more than one relationship was found"},
    FaultRow{Fault::no_function, "PGRST202", 404, "Could not find the function"},
    FaultRow{Fault::ambiguous_function, "PGRST203", 300, "Could not choose the best candidate function"},
    FaultRow{Fault::no_column, "PGRST204", 400, "Could not find the column"},
    FaultRow{Fault::no_relation, "PGRST205", 404, "Could not find the table in the schema cache"},
    FaultRow{Fault::put_needs_all_keys, "PGRST115", 400, "Payload values do not match URL in primary key column(s)"},
    FaultRow{Fault::put_filters, "PGRST105", 405, "Filters must include all and only primary key columns with 'eq' operators"},
    FaultRow{Fault::put_window, "PGRST114", 400, "limit/offset querystring parameters are not allowed for PUT"},
    FaultRow{Fault::related_order_not_to_one, "PGRST118", 400, "A related order is not possible"},
    FaultRow{Fault::embed_filter_not_null_test, "PGRST120", 400, "Bad operator on the embedded resource"},
    FaultRow{Fault::bad_response_headers, "PGRST111", 500,
             "response.headers guc must be a JSON array composed of objects with a single key and a string value"},
    FaultRow{Fault::bad_response_status, "PGRST112", 500, "response.status guc must be a valid status code"},
    FaultRow{Fault::bad_raise, "PGRST121", 500, "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error"},
    FaultRow{Fault::no_jwt_secret, "PGRST300", 500, "Server lacks JWT secret"},
    FaultRow{Fault::bad_jwt, "PGRST301", 401, "JWT could not be decoded"},
    FaultRow{Fault::anonymous_disabled, "PGRST302", 401, "Anonymous access is disabled"},
    FaultRow{Fault::bad_jwt_claims, "PGRST303", 401, "JWT claims are not valid"},
    FaultRow{Fault::bad_api_key, "MR060", 401, "The API key is not valid"},
    FaultRow{Fault::identity_unavailable, "MR061", 503, "Who is asking cannot be found out at the moment"},
    FaultRow{Fault::auth_required, "MR062", 401, "This route needs a token or an API key"},
    FaultRow{Fault::insufficient_scope, "MR063", 403, "The token does not allow this"},
    FaultRow{Fault::database_unavailable, "PGRST001", 503, "Database connection error. Retrying the connection."},
    FaultRow{Fault::catalog_unavailable, "PGRST002", 503, "Could not query the database for the schema cache. Retrying."},
    FaultRow{Fault::lane_timeout, "PGRST003", 503, "Timed out acquiring connection from connection pool."},
    FaultRow{Fault::database_error, "XX000", 500, "The database answered with an error"},
    FaultRow{Fault::internal, "MR999", 500, "Internal error"},
};
static_assert(rows.size() == static_cast<std::size_t>(Fault::internal) + 1);

}  // namespace

const FaultRow& fault_row(Fault fault) { return rows[static_cast<std::size_t>(fault)]; }

}  // namespace millrace

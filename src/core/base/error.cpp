// Errors as values: built from the table, or from what Postgres said.
#include <algorithm>
#include <array>
#include <string>

#include "millrace/core/base.hpp"

namespace millrace {

Error Error::of(Fault fault, std::string message) {
    const FaultRow& row = fault_row(fault);
    Error error;
    error.fault = fault;
    error.code = row.code;
    error.status = row.status;
    error.message = message.empty() ? std::string(row.message) : std::move(message);
    return error;
}

Error&& Error::with_details(std::string text) && {
    details = std::move(text);
    return std::move(*this);
}

Error&& Error::with_hint(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
}

Error&& Error::with_header(std::string name, std::string value) && {
    headers.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
}

namespace {

struct StateRow {
    std::string_view prefix;  // a whole SQLSTATE or a class
    int status;
};

// PostgREST, "Errors", HTTP status codes of PostgreSQL errors; whole codes before their class.
constexpr std::array state_rows = {
    StateRow{"08", 503},    StateRow{"09", 500},    StateRow{"0L", 403},    StateRow{"0P", 403},    StateRow{"23503", 409},
    StateRow{"23505", 409}, StateRow{"25006", 405}, StateRow{"25", 500},    StateRow{"28", 403},    StateRow{"2D", 500},
    StateRow{"38", 500},    StateRow{"39", 500},    StateRow{"3B", 500},    StateRow{"40", 500},    StateRow{"53400", 500},
    StateRow{"53", 503},    StateRow{"54", 500},    StateRow{"55", 500},    StateRow{"57P01", 503}, StateRow{"57", 500},
    StateRow{"58", 500},    StateRow{"F0", 500},    StateRow{"HV", 500},    StateRow{"P0001", 400}, StateRow{"P0", 500},
    StateRow{"XX", 500},    StateRow{"42883", 404}, StateRow{"42P01", 404}, StateRow{"42P17", 500}, StateRow{"21000", 400},
    StateRow{"22023", 400},
};

int status_of_state(std::string_view state, bool authenticated) {
    if (state == "42501") return authenticated ? 403 : 401;
    auto row = std::ranges::find_if(state_rows, [&](const StateRow& r) { return state.starts_with(r.prefix); });
    return row == state_rows.end() ? 400 : row->status;
}

// The role of a token that is no role of the database.
bool names_no_role(const DatabaseMessage& message) {
    return message.sqlstate == "22023" && message.message.starts_with("role") && message.message.ends_with("does not exist");
}

}  // namespace

Error database_error(DatabaseMessage message, bool authenticated) {
    Error error;
    error.fault = Fault::database_error;
    error.status = names_no_role(message) ? 401 : status_of_state(message.sqlstate, authenticated);
    error.code = std::move(message.sqlstate);
    error.message = std::move(message.message);
    if (!message.details.empty()) error.details = std::move(message.details);
    if (!message.hint.empty()) error.hint = std::move(message.hint);
    if (error.status == 401) error.headers.emplace_back("WWW-Authenticate", "Bearer");
    if (error.status == 503) error.headers.emplace_back("Retry-After", "1");
    return error;
}

}  // namespace millrace

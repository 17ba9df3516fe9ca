// What Postgres said becomes an Error: its SQLSTATE decides the status, unless the statement that raised it does.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "millrace/core/base.hpp"
#include "millrace/core/text.hpp"

namespace millrace {
namespace {

using nlohmann::json;

struct StateRow {
    std::string_view prefix;  // a whole SQLSTATE or a class
    int status;
};

// PostgREST, "Errors", HTTP status codes of PostgreSQL errors; whole codes before their class.
constexpr std::array state_rows = {
    StateRow{"08", 503},    StateRow{"09", 500},    StateRow{"0L", 403},    StateRow{"0P", 403},    StateRow{"21000", 500},
    StateRow{"23503", 409}, StateRow{"23505", 409}, StateRow{"25006", 405}, StateRow{"25", 500},    StateRow{"28", 403},
    StateRow{"2D", 500},    StateRow{"38", 500},    StateRow{"39", 500},    StateRow{"3B", 500},    StateRow{"40", 500},
    StateRow{"53400", 500}, StateRow{"53", 503},    StateRow{"54", 500},    StateRow{"55", 500},    StateRow{"57P01", 503},
    StateRow{"57", 500},    StateRow{"58", 500},    StateRow{"F0", 500},    StateRow{"HV", 500},    StateRow{"P0001", 400},
    StateRow{"P0", 500},    StateRow{"XX", 500},    StateRow{"42883", 404}, StateRow{"42P01", 404}, StateRow{"42P17", 500},
};

bool is_final_status(std::int64_t status) { return status >= 200 && status <= 599; }

// RAISE SQLSTATE 'PT402': the digits are the status.
int status_of_raise(std::string_view state) {
    const auto status = text::to_int(state.substr(2));
    return status && is_final_status(*status) ? static_cast<int>(*status) : 500;
}

// States whose meaning the message alone tells.
std::optional<int> status_of_message(std::string_view state, std::string_view message) {
    if (state == "21000" && message.ends_with("requires a WHERE clause")) return 400;  // the extension pg-safeupdate
    if (state == "22023" && message.starts_with("role") && message.ends_with("does not exist")) return 401;  // a token's role
    if (state == "42883" && message.starts_with("function xmlagg(")) return 406;
    return std::nullopt;
}

int status_of_state(const DatabaseMessage& said, bool authenticated) {
    const std::string_view state = said.sqlstate;
    if (state == "42501") return authenticated ? 403 : 401;
    if (state.starts_with("PT")) return status_of_raise(state);
    if (const auto status = status_of_message(state, said.message)) return *status;
    auto row = std::ranges::find_if(state_rows, [&](const StateRow& r) { return state.starts_with(r.prefix); });
    return row == state_rows.end() ? 400 : row->status;
}

Error bad_raise(std::string_view part, const std::string& text) {
    const bool is_message = part == "MESSAGE";
    return Error::of(Fault::bad_raise)
        .with_details("Invalid JSON value for " + std::string(part) + ": '" + text + "'")
        .with_hint(
            is_message
                ? "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'."
                : "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.");
}

// A member that is text, or (when it need not be there) absent or null.
bool read_text(const json& object, const char* key, std::optional<std::string>& out) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return true;
    if (!found->is_string()) return false;
    out = found->get<std::string>();
    return true;
}

bool read_message(const json& object, Error& out) {
    std::optional<std::string> code, message;
    if (!object.is_object() || !read_text(object, "code", code) || !read_text(object, "message", message)) return false;
    if (!code || !message || !read_text(object, "details", out.details) || !read_text(object, "hint", out.hint)) return false;
    out.code = *std::move(code);
    out.message = *std::move(message);
    return true;
}

// A field's name and value must not end its line, nor be anything but a field.
bool is_field(std::string_view name, std::string_view value) {
    constexpr std::string_view separators = "\"(),/:;<=>?@[\\]{}";
    const auto in_name = [&](char c) { return c > ' ' && c < '\x7F' && separators.find(c) == std::string_view::npos; };
    const auto in_value = [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7F'); };
    return !name.empty() && std::ranges::all_of(name, in_name) && std::ranges::all_of(value, in_value);
}

bool read_headers(const json& object, Error& out) {
    if (!object.is_object()) return false;
    for (const auto& [name, value] : object.items()) {
        if (!value.is_string() || !is_field(name, value.get_ref<const std::string&>())) return false;
        out.headers.emplace_back(name, value.get<std::string>());
    }
    return true;
}

bool read_detail(const json& object, Error& out) {
    std::optional<std::string> status_text;  // the reason phrase, which HTTP/2 and clients do without
    if (!object.is_object() || !object.contains("status") || !object.contains("headers")) return false;
    const json& status = object["status"];
    if (!status.is_number_integer() || !is_final_status(status.get<std::int64_t>())) return false;
    if (!read_text(object, "status_text", status_text) || !read_headers(object["headers"], out)) return false;
    out.status = status.get<int>();
    return true;
}

// RAISE SQLSTATE 'PGRST': message and detail are JSON, and say what is answered.
Error raised_answer(const DatabaseMessage& said) {
    Error error;
    error.fault = Fault::database_error;
    if (!read_message(json::parse(said.message, nullptr, false), error)) return bad_raise("MESSAGE", said.message);
    if (said.details.empty()) {
        Error missing = bad_raise("DETAIL", said.details);
        missing.details = "DETAIL is missing in the RAISE statement";
        return missing;
    }
    if (!read_detail(json::parse(said.details, nullptr, false), error)) return bad_raise("DETAIL", said.details);
    return error;
}

}  // namespace

Error database_error(DatabaseMessage message, bool authenticated) {
    if (message.sqlstate == "PGRST") return raised_answer(message);
    Error error;
    error.fault = Fault::database_error;
    error.status = status_of_state(message, authenticated);
    error.code = std::move(message.sqlstate);
    error.message = std::move(message.message);
    if (!message.details.empty()) error.details = std::move(message.details);
    if (!message.hint.empty()) error.hint = std::move(message.hint);
    if (error.status == 401) error.headers.emplace_back("WWW-Authenticate", "Bearer");
    if (error.status == 503) error.headers.emplace_back("Retry-After", "1");
    return error;
}

}  // namespace millrace

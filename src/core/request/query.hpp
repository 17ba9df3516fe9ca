// The query string as decoded parameters, and what each of them is for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/request.hpp"

namespace millrace::request {

enum class Role : std::uint8_t { select, columns, on_conflict, order, limit, offset, logic, filter };

struct Parameter {
    std::string_view key, value;
    Role role = Role::filter;
};

// Parameters point into `bytes`, so a Query stays where it was made.
struct Query {
    std::string bytes;
    std::vector<Parameter> parameters;
};

// Fails on bytes that are no UTF-8 and on NUL. A parameter without '=' says nothing and is left out.
[[nodiscard]] Result<void> read_query(std::string_view text, Query& out);

[[nodiscard]] std::string canonical(const Query& query, bool call);

// Appends the decoded form: %XX as its byte, + as a blank, any other % as it stands (as PostgREST reads it).
void append_decoded(std::string& out, std::string_view text);
// limit= and offset= of one resource, before the Range header and the bounds are looked at.
struct RawWindow {
    EmbedPath path;
    std::optional<std::int64_t> limit, offset;
};
void note_window(std::vector<RawWindow>& windows, EmbedPath path, Role role, std::string_view value);

// Parameters that compare nothing are arguments when `arguments` says so, else errors.
[[nodiscard]] Result<void> read_parameters(const Query& query, bool arguments, ApiRequest& out,
                                           std::vector<RawWindow>& windows);

// Folds the root's window with the Range header (nothing: no such header) and checks all of them.
[[nodiscard]] Result<void> place_windows(std::vector<RawWindow> raw, std::string_view range_header, ApiRequest& out);

}  // namespace millrace::request

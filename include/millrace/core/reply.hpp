// Rows or an error → status, headers and body as PostgREST gives them.
#pragma once

#include <optional>
#include <string>

#include "millrace/core/base.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/plan.hpp"
#include "millrace/core/request.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::reply {

// Body {code, message, details, hint} with the error's status and headers.
[[nodiscard]] message::Reply from_error(const Error& error);

// Everything that finish needs of a request once its rows are there.
struct Shape {
    request::Action action = request::Action::read;
    bool head_only = false;
    request::Media media = request::Media::json;
    request::Window window;
    request::CountKind count = request::CountKind::none;
    request::ReturnKind returning = request::ReturnKind::unset;
    std::string location_base;               // "/v1/products": what Location is built on
    std::vector<std::string> location_keys;  // API names of the primary key
    std::vector<std::string> applied;        // Preference-Applied
    std::optional<std::int64_t> max_affected;
    std::string warning{};  // of Warning
};

// The media type the reply will have, or not_acceptable (PGRST107/406).
[[nodiscard]] Result<request::Media> choose_media(const std::vector<request::MediaRange>& accept);

// The columns `main` returns, snapshot column excluded, become the body; 200, 201, 204, 206, 406 or 416 as the rows decide.
[[nodiscard]] Result<message::Reply> from_rows(const Shape& shape, const sql::Script& script, const sql::Results& results);

// Must the rows be looked at before they are committed? Then this is how.
[[nodiscard]] std::optional<sql::Verdict> verdict(const Shape& shape, const sql::Script& script);

// Rows → JSON text: an array, or the objects alone with commas between (one row of a singular reply).
enum class RowsForm : std::uint8_t { array, objects };
void append_json_rows(std::string& out, const sql::Script& script, const sql::Rows& rows, RowsForm form);

// A strong entity tag of a body in one representation: its hash and its length, quoted.
[[nodiscard]] std::string entity_tag(std::string_view body, request::Media media);

// The value of Content-Type for a representation.
[[nodiscard]] std::string_view content_type(request::Media media);

}  // namespace millrace::reply

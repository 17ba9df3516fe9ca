// The dialect: URL, headers and body of a request as one value, with nothing looked up yet.
// Grammar: PostgREST's reference, "Tables and Views", "Resource Embedding", "Preferences", "Pagination and Count".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/message.hpp"

namespace millrace::request {

// a->b->>c, a->0
struct JsonStep {
    bool as_text = false;  // ->>
    std::variant<std::string, std::int64_t> key;
};
struct FieldPath {
    std::string column;
    std::vector<JsonStep> json;
};

enum class Aggregate : std::uint8_t { none, count, sum, avg, min, max };

struct SelectItem;

// alias:column->path::cast, alias:column.sum()::cast; column "*" is every column.
struct SelectColumn {
    FieldPath field;
    std::string alias, cast;
    Aggregate aggregate = Aggregate::none;
    std::string aggregate_cast;
};

enum class JoinKind : std::uint8_t { left, inner };

// alias:relation!hint!inner(…), or ...relation(…) when spread.
struct SelectEmbed {
    std::string relation, alias, hint;
    std::optional<JoinKind> join;
    bool spread = false;
    std::vector<SelectItem> items;
};
struct SelectItem {
    std::variant<SelectColumn, SelectEmbed> node;
};

enum class Operator : std::uint8_t {
    eq,
    neq,
    gt,
    gte,
    lt,
    lte,
    like,
    ilike,
    match,
    imatch,
    in,
    is,
    isdistinct,
    cs,
    cd,
    ov,
    sl,
    sr,
    nxr,
    nxl,
    adj,
    fts,
    plfts,
    phfts,
    wfts,
};
enum class Quantifier : std::uint8_t { none, any, all };

struct Condition {
    FieldPath field;
    bool negated = false;
    Operator op = Operator::eq;
    Quantifier quantifier = Quantifier::none;
    std::string language;             // of full text: fts(english)
    std::string value;                // as written; of "is": null, true, false, unknown, not_null
    std::vector<std::string> values;  // of "in"; of a quantified operator the elements of `value`, which is an array literal
                                      // as Postgres reads it (none when it is no plain one: Postgres then judges `value`)
};
struct FilterNode;
struct Junction {
    bool negated = false;
    bool any = false;  // or
    std::vector<FilterNode> children;
};
struct FilterNode {
    std::variant<Condition, Junction> node;
};

struct OrderTerm {
    std::string relation;  // clients(name): order by a column of a to-one embed; empty: a column of its own
    FieldPath field;
    bool descending = false;
    std::optional<bool> nulls_first;
};

// Where a filter, an order or a window applies: empty for the resource itself, else the names of embeds on the way.
using EmbedPath = std::vector<std::string>;

struct Window {
    std::optional<std::int64_t> limit;
    std::int64_t offset = 0;
};

template <class T>
struct Placed {
    EmbedPath path;
    T what;
};

enum class CountKind : std::uint8_t { none, exact, planned, estimated };
enum class ReturnKind : std::uint8_t { unset, minimal, headers_only, representation };
enum class Resolution : std::uint8_t { none, merge_duplicates, ignore_duplicates };

// Prefer (RFC 7240); what was not understood is kept for handling=strict.
struct Preferences {
    CountKind count = CountKind::none;
    ReturnKind returning = ReturnKind::unset;
    Resolution resolution = Resolution::none;
    bool missing_default = false;
    bool strict = false;
    std::optional<bool> commit;  // tx=commit | rollback
    std::optional<std::int64_t> max_affected;
    std::string timezone;
    std::vector<std::string> unknown;
    std::vector<std::string> applied;  // what Preference-Applied may echo, in PostgREST's order
};

enum class Media : std::uint8_t {
    json,
    singular,
    array_stripped,
    singular_stripped,
    csv,
    geojson,
    openapi,
    plan,
    text,
    xml,
    octet_stream,
    other,
    any
};

// application/vnd.pgrst.plan: of which representation, and EXPLAIN's options.
struct PlanRange {
    Media media = Media::json;
    std::string name = "application/json";
    bool json = false;  // its format; else text
    bool analyze = false, verbose = false, settings = false, buffers = false, wal = false;
};
struct MediaRange {
    Media media = Media::any;
    std::string name = "*/*";  // its full name when the dialect knows it, else as written, without spaces
    double quality = 1.0;
    std::optional<PlanRange> plan{};  // of Media::plan
};

enum class Action : std::uint8_t { read, insert, update, replace, remove, call, inspect };

struct ApiRequest {
    Action action = Action::read;
    bool head_only = false;
    bool safe = false;    // GET or HEAD: a call must change nothing then
    std::string profile;  // Accept-Profile or Content-Profile
    bool has_select = false;
    std::vector<SelectItem> select;  // empty with has_select false: every column
    std::vector<Placed<FilterNode>> filters;
    std::vector<Placed<std::vector<OrderTerm>>> orders;
    std::vector<Placed<Window>> windows;  // limit and offset by URL, folded with Range at the root
    bool range_header = false;            // a Range header took effect
    std::vector<std::string> columns;     // columns=
    bool has_columns = false;
    std::vector<std::string> on_conflict;
    std::vector<std::pair<std::string, std::string>> call_arguments;  // of a GET call: parameters that are no reserved words
    Preferences preferences;
    std::vector<MediaRange> accept;  // by falling quality
    std::string content_type;        // lower case, without parameters
    std::string canonical_query;     // decoded parameters in a fixed order: equal for equal requests
};

// `call` says that the target is a function: unreserved parameters of a GET are then arguments as well as filters.
[[nodiscard]] Result<ApiRequest> parse(const message::Request& request, bool call = false);

[[nodiscard]] std::string_view name(Operator op);  // as filters write it: "eq"
[[nodiscard]] std::optional<Operator> operator_named(std::string_view word);

// The parts, for their own tests and fuzz targets. Texts of the URL are valid UTF-8: parse() sees to it.
[[nodiscard]] Result<std::vector<SelectItem>> parse_select(std::string_view text);
[[nodiscard]] Result<Condition> parse_condition(std::string_view field, std::string_view text);
[[nodiscard]] Result<FilterNode> parse_logic(bool any, bool negated, std::string_view text);
[[nodiscard]] Result<std::vector<OrderTerm>> parse_order(std::string_view text);
[[nodiscard]] Preferences parse_prefer(const message::Request& request);
[[nodiscard]] std::vector<MediaRange> parse_accept(std::string_view text);
[[nodiscard]] MediaRange parse_media_type(std::string_view text);  // one, without a weight
[[nodiscard]] Result<std::optional<Window>> parse_range(std::string_view range_header);

// A body of a write as rows: JSON (object or array of objects), CSV or a form, normalised to a JSON array or object text.
// A body of a call may also be a value of one unnamed parameter, taken as it is.
struct Payload {
    std::string json;               // what json_to_recordset reads; the body itself when `raw`
    std::vector<std::string> keys;  // of the first object, in order; all objects must have the same unless columns= says
    bool is_array = false;
    std::size_t rows = 0;
    bool raw = false;                                            // of a call: text, XML or bytes rather than JSON
    std::vector<std::pair<std::string, std::string>> arguments;  // of a call by form: as sent, repeated names included
};
[[nodiscard]] Result<Payload> parse_payload(const ApiRequest& request, std::string_view body);

}  // namespace millrace::request

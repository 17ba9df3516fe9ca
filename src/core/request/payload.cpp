// The body of a write or a call becomes rows, whatever its media type.
#include <algorithm>

#include "csv.hpp"
#include "grammar.hpp"
#include "json_scan.hpp"
#include "millrace/core/text.hpp"
#include "query.hpp"

namespace millrace::request {
namespace {

Error refused(std::string_view why) { return Error::of(Fault::bad_body, std::string(why)); }

// PostgREST reads columns= of an insert, an update and a call; then rows may have different keys.
bool columns_decide(const ApiRequest& request) {
    return request.has_columns &&
           (request.action == Action::insert || request.action == Action::update || request.action == Action::call);
}

// With columns= nothing needs to be known of the body, and Postgres says what is wrong with it.
Result<Payload> unread_json(std::string_view body) {
    if (body.find('\0') != std::string_view::npos) return refused("Empty or invalid json");  // would end the parameter
    Payload out;
    out.json = body;
    out.is_array = true;
    return out;
}

Result<Payload> read_json(const ApiRequest& request, std::string_view body) {
    if (body.empty() && request.action == Action::call) body = "{}";
    JsonScan scan = scan_json(body);
    const bool rows_fit = scan.valid && scan.shape != JsonShape::scalar;
    if (!rows_fit && !scan.too_deep && columns_decide(request)) return unread_json(body);
    if (!scan.valid) return refused("Empty or invalid json");
    if (scan.too_many_keys) return refused("Too many object keys");
    Payload out;
    if (scan.shape == JsonShape::scalar) {  // a lone scalar counts as no rows, as in PostgREST
        out.json = "[]";
        out.is_array = true;
        return out;
    }
    if (!scan.uniform && !columns_decide(request)) return refused("All object keys must match");
    out.json = body;
    out.keys = std::move(scan.keys);
    out.is_array = scan.shape == JsonShape::array;
    out.rows = scan.rows;
    return out;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

Result<Pairs> read_pairs(std::string_view body) {
    Pairs out;
    while (!body.empty()) {
        const auto pair = body.substr(0, body.find('&'));
        body.remove_prefix(std::min(pair.size() + 1, body.size()));
        if (pair.empty()) continue;
        if (out.size() == columns_max) return refused("Too many form fields");
        const auto equals = std::min(pair.find('='), pair.size());
        auto& [key, value] = out.emplace_back();
        append_decoded(key, pair.substr(0, equals));
        append_decoded(value, pair.substr(std::min(equals + 1, pair.size())));
        if (!text::valid_utf8(key) || !text::valid_utf8(value)) return refused("The body is no valid UTF-8");
    }
    return out;
}

// Of a repeated name the last value counts.
Result<Payload> read_form(const ApiRequest& request, std::string_view body) {
    auto pairs = read_pairs(body);
    if (!pairs) return std::move(pairs).error();
    Payload out;
    std::vector<const std::string*> values;
    for (const auto& [key, value] : *pairs) {
        const auto at = std::ranges::find(out.keys, key);
        if (at == out.keys.end()) {
            out.keys.push_back(key);
            values.push_back(&value);
        } else {
            values[static_cast<std::size_t>(at - out.keys.begin())] = &value;
        }
    }
    out.json = "{";
    for (std::size_t i = 0; i < out.keys.size(); ++i) {
        if (i > 0) out.json += ',';
        text::append_json_string(out.json, out.keys[i]);
        out.json += ':';
        text::append_json_string(out.json, *values[i]);
    }
    out.json += '}';
    out.rows = 1;
    if (request.action == Action::call) out.arguments = *std::move(pairs);
    return out;
}

Payload read_raw(std::string_view body) {
    Payload out;
    out.json = body;
    out.raw = true;
    out.rows = 1;
    return out;
}

}  // namespace

Result<Payload> parse_payload(const ApiRequest& request, std::string_view body) {
    const std::string_view type = request.content_type;
    const bool is_call = request.action == Action::call;
    if (is_call && type == "application/octet-stream") return read_raw(body);
    const bool is_json = type.empty() || type == "application/json" || type.starts_with("application/vnd.pgrst.array");
    if (!text::valid_utf8(body)) return refused(is_json ? "Empty or invalid json" : "The body is no valid UTF-8");
    if (is_json) return read_json(request, body);
    if (type == "text/csv") return read_csv(body);
    if (type == "application/x-www-form-urlencoded") return read_form(request, body);
    if (is_call && (type == "text/plain" || type == "text/xml")) return read_raw(body);
    return refused("Content-Type not acceptable: " + std::string(type));
}

}  // namespace millrace::request

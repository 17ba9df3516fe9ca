// Any bytes as query string, headers and body: nothing crashes, and what parses obeys the module's own promises.
#include <nlohmann/json.hpp>

#include "input.hpp"
#include "millrace/core/request.hpp"
#include "millrace/core/text.hpp"

namespace {

using namespace millrace;

using fuzz::check, fuzz::take_line;

// The input is cut at newlines into: options, query, Range, Prefer, Accept, Content-Type, body.
message::Request read_request(std::string_view input, bool& call) {
    message::Request request;
    const auto options = take_line(input);
    const unsigned bits = options.empty() ? 0 : static_cast<unsigned char>(options[0]);
    request.method = static_cast<message::Method>(bits % 7);
    call = (bits / 7) % 2 == 1;
    request.query = take_line(input);
    for (const char* name : {"Range", "Prefer", "Accept", "Content-Type"}) request.headers.push_back({name, take_line(input)});
    request.body = input;
    return request;
}

// The canonical form is a query that means the same, and its own canonical form.
void check_canonical(message::Request request, bool call, const request::ApiRequest& parsed) {
    request.query = parsed.canonical_query;
    const auto again = request::parse(request, call);
    check(again.has_value());
    check(again->canonical_query == parsed.canonical_query);
    check(again->filters.size() == parsed.filters.size() && again->select.size() == parsed.select.size());
}

// A media type's name is a media type that has the same name, and the best come first.
void check_accept(const request::ApiRequest& parsed) {
    double last = 1.0;
    for (const request::MediaRange& range : parsed.accept) {
        check(range.quality > 0.0 && range.quality <= last);
        last = range.quality;
        const request::MediaRange again = request::parse_media_type(range.name);
        check(range.media == request::Media::plan || (again.media == range.media && again.name == range.name));
        check((range.media == request::Media::plan) == range.plan.has_value());
    }
}

bool too_deep(std::string_view json) {
    int depth = 0, deepest = 0;
    for (char c : json) {
        depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
        deepest = std::max(deepest, depth);
    }
    return deepest > 100;
}

// Our scanner and a JSON library agree, but for numbers that fit no double, which Postgres' numeric takes.
void check_payload(const request::ApiRequest& parsed, std::string_view body) {
    const auto payload = request::parse_payload(parsed, body);
    // With columns= the body goes to Postgres as it came.
    if (payload && !payload->raw && !parsed.has_columns && !nlohmann::json::accept(payload->json))
        check(payload->json.find_first_of("eE") != std::string::npos || payload->json.size() > 300);
    const bool is_json = parsed.content_type.empty() || parsed.content_type == "application/json";
    // The library skips a byte order mark and takes NUL for the end.
    if (body.find('\0') != std::string_view::npos) return;
    if (!is_json || payload || too_deep(body) || body.starts_with("\xEF\xBB\xBF") || !nlohmann::json::accept(body)) return;
    check(payload.error().message != "Empty or invalid json");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    bool call = false;
    const message::Request request = read_request(input, call);
    const auto parsed = request::parse(request, call);
    if (!parsed) {
        check(parsed.error().status >= 400 && text::valid_utf8(parsed.error().message));
        return 0;
    }
    check_canonical(request, call, *parsed);
    check_accept(*parsed);
    check_payload(*parsed, request.body);
    return 0;
}

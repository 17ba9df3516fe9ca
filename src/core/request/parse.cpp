// A framed HTTP request becomes an ApiRequest, or the error that PostgREST would answer.
#include <algorithm>
#include <array>

#include "millrace/core/text.hpp"
#include "query.hpp"

namespace millrace::request {
namespace {

using message::Method;

Result<Action> action_of(Method method, bool call) {
    switch (method) {
        case Method::get:
        case Method::head:
            return call ? Action::call : Action::read;
        case Method::post:
            return call ? Action::call : Action::insert;
        case Method::options:
            return Action::inspect;
        case Method::put:
        case Method::patch:
        case Method::del:
            break;
    }
    if (call) {
        Error error = Error::of(Fault::unsupported_method, "Cannot use the " + std::string(name(method)) + " method on RPC");
        error.code = "PGRST101";
        return error;
    }
    return method == Method::put ? Action::replace : method == Method::patch ? Action::update : Action::remove;
}

bool is_safe(Method method) { return method == Method::get || method == Method::head; }

std::string_view profile_header(Method method) {
    return is_safe(method) || method == Method::options ? "Accept-Profile" : "Content-Profile";
}

std::vector<MediaRange> accepted(const message::Request& request) {
    std::string all;
    for (const auto& header : request.headers) {
        if (!text::iequals(header.name, "Accept")) continue;
        if (!all.empty()) all += ',';
        all += header.value;
    }
    if (!all.empty() && all != "*/*") return parse_accept(all);
    return {MediaRange{}};
}

std::string content_type(const message::Request& request) {
    const std::string_view value = request.header("Content-Type");
    return text::lower(text::trim(value.substr(0, value.find(';'))));
}

bool applies(std::string_view preference, Action action) {
    const bool inserts = action == Action::insert || action == Action::replace;
    if (preference.starts_with("resolution=")) return action == Action::insert;
    if (preference.starts_with("missing=")) return action == Action::insert || action == Action::update;
    if (preference.starts_with("return=")) return inserts || action == Action::update || action == Action::remove;
    if (preference.starts_with("max-affected="))
        return action == Action::update || action == Action::remove || action == Action::call;
    return true;
}

Result<void> read_preferences(const message::Request& request, ApiRequest& out) {
    out.preferences = parse_prefer(request);
    std::erase_if(out.preferences.applied, [&](const std::string& p) { return !applies(p, out.action); });
    if (!out.preferences.strict || out.preferences.unknown.empty()) return {};
    std::string details = "Invalid preferences: ";
    for (const std::string& unknown : out.preferences.unknown) {
        if (&unknown != &out.preferences.unknown.front()) details += ", ";
        details += unknown;
    }
    return Error::of(Fault::bad_preference).with_details(std::move(details));
}

// A cache in front that would cut the body by Range sends us the range of rows under a name of ours (docs/fronts.md).
std::string_view range_of(const message::Request& request) {
    const std::string_view range = request.header("Range");
    return range.empty() ? request.header("Millrace-Range") : range;
}

bool whole_table(const RawWindow& window) { return !window.limit && window.offset.value_or(0) <= 0; }

Result<void> read_target(const message::Request& request, bool call, ApiRequest& out) {
    Query query;
    if (auto read = read_query(request.query, query); !read) return read;
    std::vector<RawWindow> windows;
    if (auto read = read_parameters(query, call && is_safe(request.method), out, windows); !read) return read;
    // RFC 9110 §14.2: Range is defined for GET alone.
    const std::string_view range = request.method == Method::get ? range_of(request) : std::string_view{};
    const bool windowed = std::ranges::any_of(windows, [](const RawWindow& w) { return w.path.empty() && !whole_table(w); });
    if (auto placed = place_windows(std::move(windows), range, out); !placed) return placed;
    if (out.action == Action::replace && windowed) return Error::of(Fault::put_window);
    out.canonical_query = canonical(query, call);
    return {};
}

}  // namespace

Result<ApiRequest> parse(const message::Request& request, bool call) {
    ApiRequest out;
    auto action = action_of(request.method, call);
    if (!action) return std::move(action).error();
    out.action = *action;
    out.head_only = request.method == Method::head;
    out.safe = is_safe(request.method);
    out.profile = request.header(profile_header(request.method));
    out.accept = accepted(request);
    out.content_type = content_type(request);
    if (auto read = read_preferences(request, out); !read) return std::move(read).error();
    if (auto read = read_target(request, call, out); !read) return std::move(read).error();
    return out;
}

}  // namespace millrace::request

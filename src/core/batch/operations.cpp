// What a batch says, and each of its operations as a request of its caller.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "millrace/core/batch.hpp"
#include "millrace/core/text.hpp"
#include "raw_json.hpp"

namespace millrace::batch {
namespace {

using Json = nlohmann::json;
using message::Method;

constexpr std::size_t target_bytes_max = 8 * 1024;
constexpr std::string_view segment = "/batch";

// What an operation may say of itself. All else that the batch's own request says holds for each of them.
constexpr std::array own_fields = {"Prefer",   "Accept",        "Content-Type", "Accept-Profile", "Content-Profile",
                                   "If-Match", "If-None-Match", "Range",        "Range-Unit"};
constexpr std::array fields_of_batch = {"Idempotency-Key",  "Consistency-Token", "Content-Length",
                                        "Content-Encoding", "Transfer-Encoding", "Expect"};

template <class Names>
bool is_one_of(const Names& names, std::string_view field) {
    return std::ranges::any_of(names, [&](const char* name) { return text::iequals(name, field); });
}

Error bad(std::string why) { return Error::of(Fault::bad_batch).with_details(std::move(why)); }

std::string text_of(std::string_view json) { return Json::parse(json).get<std::string>(); }

bool is_text(std::string_view json) { return json.starts_with('"'); }

std::optional<Method> method_of(std::string_view name) {
    for (const Method method : {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::del})
        if (message::name(method) == name) return method;
    return std::nullopt;
}

// As the framing guard would let it through.
bool is_path(std::string_view path) {
    return path.starts_with('/') && path.size() <= target_bytes_max &&
           std::ranges::all_of(path, [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
}

bool is_value(std::string_view value) {
    return std::ranges::all_of(value, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

Result<void> read_headers(std::string_view json, Operation& out) {
    if (!json.starts_with('{')) return bad("headers must be an object.");
    for (const auto& [raw_name, raw_value] : raw_members(json)) {
        std::string name = text_of(raw_name);
        if (!is_one_of(own_fields, name)) return bad("An operation may not have the header '" + name + "'.");
        std::string value = is_text(raw_value) ? text_of(raw_value) : "\n";
        if (!is_value(value)) return bad("The header '" + name + "' is no text of one line.");
        out.headers.emplace_back(std::move(name), std::move(value));
    }
    return {};
}

Result<void> read_member(std::string_view name, std::string_view value, const std::string& base, Operation& out) {
    if (name == "headers") return read_headers(value, out);
    if (name == "body") {
        if (value != "null") out.body = value;
        return {};
    }
    if (name != "method" && name != "path") return bad("An operation has no '" + std::string(name) + "'.");
    if (!is_text(value)) return bad(std::string(name) + " must be text.");
    const std::string text = text_of(value);
    if (name == "path") {
        if (!is_path(text)) return bad("path must begin with '/' and be written as in a URL.");
        out.target = base + text;
        return {};
    }
    const auto method = method_of(text);
    if (!method) return bad("method must be GET, HEAD, POST, PUT, PATCH or DELETE.");
    out.method = *method;
    return {};
}

// A body that is not JSON is written as a string.
void settle_body(Operation& operation) {
    const auto type =
        std::ranges::find_if(operation.headers, [](const auto& h) { return text::iequals(h.first, "Content-Type"); });
    if (type == operation.headers.end()) {
        if (!operation.body.empty()) operation.headers.emplace_back("Content-Type", "application/json");
    } else if (type->second.find("json") == std::string::npos && is_text(operation.body)) {
        operation.body = text_of(operation.body);
    }
}

Result<Operation> read_operation(std::string_view json, const std::string& base) {
    if (!json.starts_with('{')) return bad("An operation must be an object.");
    Operation operation;
    std::vector<std::string> seen;
    for (const auto& [raw_name, value] : raw_members(json)) {
        std::string name = text_of(raw_name);
        if (std::ranges::find(seen, name) != seen.end()) return bad("An operation says '" + name + "' twice.");
        if (auto read = read_member(name, value, base, operation); !read) return std::move(read).error();
        seen.push_back(std::move(name));
    }
    for (const char* name : {"method", "path"})
        if (std::ranges::find(seen, name) == seen.end()) return bad("An operation needs a " + std::string(name) + ".");
    settle_body(operation);
    return operation;
}

}  // namespace

Result<std::vector<Operation>> parse(std::string_view body, const std::string& base, std::size_t operations_max) {
    if (!Json::accept(body)) return bad("The body must be JSON.");
    const auto members = raw_members(body);
    if (members.size() != 1 || text_of(members.front().first) != "operations" || !members.front().second.starts_with('['))
        return bad("The body must be {\"operations\": [...]}.");
    const auto items = raw_items(members.front().second);
    if (items.empty()) return bad("There must be at least one operation.");
    if (items.size() > operations_max)
        return Error::of(Fault::batch_too_large).with_details("There may be " + std::to_string(operations_max) + " of them.");
    std::vector<Operation> operations;
    for (const std::string_view item : items) {
        auto operation = read_operation(item, base);
        if (!operation) {
            Error error = std::move(operation).error();
            error.details = "Operation " + std::to_string(operations.size()) + ": " + error.details.value_or("");
            return error;
        }
        operations.push_back(std::move(*operation));
    }
    return operations;
}

message::Request request_of(const Operation& operation, const message::Request& batch) {
    message::Request request = batch;
    request.method = operation.method;
    request.target = operation.target;
    request.path = request.target.substr(0, request.target.find('?'));
    request.query = request.target.substr(std::min(request.path.size() + 1, request.target.size()));
    request.body = operation.body;
    std::erase_if(request.headers, [](const message::Header& header) {
        return is_one_of(own_fields, header.name) || is_one_of(fields_of_batch, header.name);
    });
    for (const auto& [name, value] : operation.headers) request.headers.push_back({name, value});
    return request;
}

std::optional<Place> find_place(const pipeline::Snapshot& snapshot, const message::Request& request, WallTime now) {
    if (snapshot.settings.batch.operations_max == 0 || request.method != Method::post || !request.path.ends_with(segment))
        return std::nullopt;
    if (pipeline::find_route(snapshot, request, now)) return std::nullopt;  // something of that name
    message::Request root = request;
    root.path = request.path.substr(0, request.path.size() - segment.size());
    if (root.path.empty()) root.path = "/";
    const auto match = pipeline::find_route(snapshot, root, now);
    if (!match || match->resource != nullptr || match->upstream != nullptr) return std::nullopt;
    return Place{match->api, match->base()};
}

}  // namespace millrace::batch

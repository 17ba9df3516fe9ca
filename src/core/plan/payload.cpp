// Decides which columns a payload writes: its own keys, or those that columns= names.
#include "payload.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "names.hpp"

namespace millrace::plan {
namespace {

using nlohmann::json;

// Which of the keys an object has, in their order.
std::vector<std::string> present(const json& object, const std::vector<std::string>& keys) {
    std::vector<std::string> out;
    for (const std::string& key : keys)
        if (object.is_object() && object.contains(key)) out.push_back(key);
    return out;
}

// missing=default: a column that no object has is not written at all, so that its default applies. Objects that differ would
// need the text of the defaults, which nothing here knows.
Result<std::vector<std::string>> without_missing(const request::Payload& payload, const std::vector<std::string>& keys) {
    const json body = json::parse(payload.json, nullptr, false);
    if (!body.is_array()) return present(body, keys);
    if (body.empty()) return keys;
    std::vector<std::string> first = present(body.front(), keys);
    for (const json& object : body)
        if (present(object, keys) != first)
            return Error::of(Fault::unsupported_feature)
                .with_details("With missing=default all objects must have the same of the keys in columns.");
    return first;
}

Result<std::vector<std::string>> keys_to_write(const request::ApiRequest& request, const request::Payload& payload) {
    if (!request.has_columns || request.action == request::Action::replace) return payload.keys;  // PUT writes what it says
    if (request.preferences.missing_default) return without_missing(payload, request.columns);
    return request.columns;
}

}  // namespace

Result<Written> written_columns(const request::ApiRequest& request, const request::Payload& payload,
                                const routes::Resource& resource) {
    auto keys = keys_to_write(request, payload);
    if (!keys) return std::move(keys).error();
    Written out;
    for (std::string& key : *keys) {
        const catalog::Column* column = find_column(resource, key);
        if (column == nullptr) return no_such_key(resource, key);
        if (std::ranges::find(out.columns, column) != out.columns.end()) continue;
        out.columns.push_back(column);
        out.keys.push_back(std::move(key));
    }
    return out;
}

}  // namespace millrace::plan

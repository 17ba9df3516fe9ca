// Decides which columns a payload writes: its own keys, or those that columns= names.
#include "payload.hpp"

#include <algorithm>

#include "names.hpp"

namespace millrace::plan {
namespace {

// PUT writes what its body says.
bool columns_decide(const request::ApiRequest& request) {
    return request.has_columns && request.action != request::Action::replace;
}

// PostgREST looks at the names in their order, so of several unknown ones it tells the first.
Error unknown_key(const routes::Resource& resource, const std::vector<std::string>& keys) {
    const std::string* first = nullptr;
    for (const std::string& key : keys) {
        const catalog::Column* column = find_column(resource, key);
        const bool unknown = column == nullptr || column->computed;
        if (unknown && (first == nullptr || key < *first)) first = &key;
    }
    return no_such_key(resource, *first);
}

bool has_default(const catalog::Column* column) { return !column->default_expression.empty(); }

}  // namespace

Result<Written> written_columns(const request::ApiRequest& request, const request::Payload& payload,
                                const routes::Resource& resource) {
    const std::vector<std::string>& keys = columns_decide(request) ? request.columns : payload.keys;
    Written out;
    for (const std::string& key : keys) {
        const catalog::Column* column = find_column(resource, key);
        if (column == nullptr) return unknown_key(resource, keys);
        if (std::ranges::find(out.columns, column) != out.columns.end()) continue;
        out.columns.push_back(column);
        out.keys.push_back(key);
    }
    // Without columns= every object has every key, so that nothing is missing.
    out.missing_default =
        columns_decide(request) && request.preferences.missing_default && std::ranges::any_of(out.columns, has_default);
    return out;
}

}  // namespace millrace::plan

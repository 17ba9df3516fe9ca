// Reads what is to be purged, as the tags that all such answers carry.
#include "purge_order.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millrace::app {
namespace {

using Json = nlohmann::json;

constexpr std::size_t tags_max = 1'000, tag_bytes_max = 1'000;  // as millrace.purge() has them

Error wrong(std::string hint) { return Error::of(Fault::bad_body, "That is no purge").with_hint(std::move(hint)); }

bool is_tag(const Json& value) {
    if (!value.is_string()) return false;
    const auto& tag = value.get_ref<const std::string&>();
    const auto plain = [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F && c != '!'; };
    return !tag.empty() && tag.size() <= tag_bytes_max && std::ranges::all_of(tag, plain);
}

Result<std::vector<std::string>> tags_of(const std::string& scope, const Json& value) {
    if (scope == "all") {
        if (value != true) return wrong("\"all\" can only be true");
        return std::vector<std::string>{"*"};
    }
    if (scope != "tags") {
        if (!is_tag(value)) return wrong('"' + scope + "\" is a name: \"v1/products\", \"v1\"");
        return std::vector<std::string>{'@' + value.get<std::string>()};
    }
    const bool good = value.is_array() && !value.empty() && value.size() <= tags_max && std::ranges::all_of(value, is_tag);
    if (!good) return wrong("\"tags\" is a list of 1 to 1000 tags without spaces: \"schema.table\"");
    return value.get<std::vector<std::string>>();
}

}  // namespace

Result<PurgeOrder> parse_purge(std::string_view body) {
    const Json json = Json::parse(body, nullptr, false);
    if (!json.is_object()) return wrong("{\"tags\":[…]}, {\"route\":\"v1/products\"}, {\"version\":\"v1\"} or {\"all\":true}");
    PurgeOrder order;
    for (const auto& [key, value] : json.items()) {
        if (key == "hard") {
            if (!value.is_boolean()) return wrong("\"hard\" is true or false");
            order.hard = value.get<bool>();
            continue;
        }
        if (key != "tags" && key != "route" && key != "version" && key != "all") return wrong("There is no \"" + key + '"');
        if (!order.tags.empty()) return wrong("One of \"tags\", \"route\", \"version\" and \"all\" at a time");
        auto tags = tags_of(key, value);
        if (!tags) return std::move(tags).error();
        order.tags = std::move(*tags);
        order.scope = key;
    }
    if (order.tags.empty()) return wrong("One of \"tags\", \"route\", \"version\" and \"all\" is needed");
    if (order.hard)
        for (std::string& tag : order.tags) tag.insert(0, 1, '!');
    return order;
}

}  // namespace millrace::app

// Shows settings without what nobody may read: whole secrets, and passwords inside URLs and connection strings.
#include <algorithm>

#include "value.hpp"

namespace millrace::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view stars = "***";

// An unescaped '@' or '/' in a password is a mistake that people make, so everything up to the last '@' is taken for it.
std::string mask_userinfo(std::string url) {
    const auto scheme = url.find("://");
    const auto at = url.rfind('@');
    if (scheme == std::string::npos || at == std::string::npos || at < scheme) return url;
    const auto colon = url.find(':', scheme + 3);
    if (colon == std::string::npos || colon > at) return url;
    return url.replace(colon + 1, at - colon - 1, stars);
}

std::size_t value_end(std::string_view text, std::size_t start) {
    if (start >= text.size() || text[start] != '\'') return std::min(text.find_first_of("& \t\n", start), text.size());
    for (std::size_t i = start + 1; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == '\'')
            return i + 1;
    }
    return text.size();
}

// "password=…" and "sslpassword=…", in a URL's query or in libpq's "keyword = value" form.
std::string mask_keywords(std::string text) {
    constexpr std::string_view keyword = "password";
    for (auto at = text.find(keyword); at != std::string::npos; at = text.find(keyword, at)) {
        at += keyword.size();
        const auto equals = text.find_first_not_of(" \t", at);
        if (equals == std::string::npos || text[equals] != '=') continue;
        const auto start = std::min(text.find_first_not_of(" \t", equals + 1), text.size());
        text.replace(start, value_end(text, start) - start, stars);
        at = start;
    }
    return text;
}

Json masked(const Setting& setting, Json value) {
    if (!setting.secret() || value.get_ref<const std::string&>().empty()) return value;
    if (setting.secrecy == Secrecy::whole) return std::string(stars);
    return mask_keywords(mask_userinfo(value.get<std::string>()));
}

}  // namespace

std::string masked_json(const Settings& settings) {
    Settings copy = settings;
    Json root = Json::object();
    for (const Setting& setting : settings_table()) {
        Json& place = setting.section.empty() ? root : root[std::string(setting.section)];
        place[std::string(setting.name)] = masked(setting, value_of(setting, copy));
    }
    return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace millrace::config

// Writes settings down again.
#include "value.hpp"

namespace millrace::config {

std::string to_text(const Listen& listen) {
    const bool ipv6 = listen.address.find(':') != std::string::npos;
    return (ipv6 ? "[" + listen.address + "]" : listen.address) + ":" + std::to_string(listen.port);
}

nlohmann::ordered_json value_of(const Setting& setting, Settings& settings) {
    return std::visit(
        [&](auto field) -> nlohmann::ordered_json {
            if constexpr (std::is_same_v<decltype(field), Access<Listen>>)
                return to_text(field(settings));
            else
                return field(settings);
        },
        setting.field);
}

}  // namespace millrace::config

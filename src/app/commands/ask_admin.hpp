// Asks the admin listener of the process on this machine.
#pragma once

#include <string>
#include <string_view>

#include "millrace/core/config.hpp"

namespace millrace::app {

struct AdminAnswer {
    int status = 0;  // 0: nobody answered
    std::string body;
};
// `body` empty: GET, else POST of that JSON. Gives up after a while.
[[nodiscard]] AdminAnswer ask_admin(const config::Settings& settings, std::string_view path, std::string_view body = {});

}  // namespace millrace::app

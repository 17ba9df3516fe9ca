// `millrace health`: is the process on this machine ready? For container health checks, which have no curl.
#include <iostream>

#include "ask_admin.hpp"
#include "millrace/app/commands.hpp"

namespace millrace::app {

int health(const CommandLine& line) {
    const Files files = read_files(line.source);
    const AdminAnswer answer = ask_admin(files.settings, "/readyz");
    std::cout << (answer.status == 0 ? "no answer\n" : answer.body);
    return answer.status == 200 ? 0 : 1;
}

}  // namespace millrace::app

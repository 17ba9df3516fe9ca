// `millrace cache`: what the process on this machine keeps, and purges of every replica through it.
#include <iostream>
#include <nlohmann/json.hpp>

#include "ask_admin.hpp"
#include "millrace/app/commands.hpp"

namespace millrace::app {
namespace {

std::string order_of(const PurgeWords& words) {
    nlohmann::ordered_json order = nlohmann::ordered_json::object();
    if (!words.tags.empty()) order["tags"] = words.tags;
    if (!words.route.empty()) order["route"] = words.route;
    if (!words.version.empty()) order["version"] = words.version;
    if (words.all) order["all"] = true;
    if (words.hard) order["hard"] = true;
    return order.dump();
}

int tell(const AdminAnswer& answer) {
    if (answer.status == 0) std::cerr << "no answer\n";
    (answer.status == 200 ? std::cout : std::cerr) << answer.body;
    if (!answer.body.empty() && answer.body.back() != '\n') std::cerr << '\n';
    return answer.status == 200 ? 0 : answer.status == 400 ? 2 : 1;
}

}  // namespace

int cache(const CommandLine& line) {
    const Files files = read_files(line.source);
    const config::Settings& settings = files.settings;
    if (line.subcommand == "stats") return tell(ask_admin(settings, "/cache"));
    if (line.subcommand == "purge") return tell(ask_admin(settings, "/cache/purge", order_of(line.purge)));
    std::cerr << "millrace cache stats, or millrace cache purge\n";
    return 2;
}

}  // namespace millrace::app

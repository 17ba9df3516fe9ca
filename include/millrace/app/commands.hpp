// The commands of the command line. Each returns the process's exit code: 0 good, 1 failed, 2 something to mend in what was
// written.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "millrace/app/snapshot.hpp"

namespace millrace::app {

struct PurgeWords {
    std::vector<std::string> tags;
    std::string route, version;
    bool all = false, hard = false;
};

struct KeyWords {
    std::string id, name, role, plan, expires;
    std::vector<std::string> scopes;
};

// What was typed, taken apart.
struct CommandLine {
    std::string command, subcommand;
    Source source;
    bool print = false, remove = false, force = false, offline = false, decoding = false;
    std::string schema = "public", output;
    std::string grant_to;  // the role that the server logs in as, where another one migrates or makes keys
    PurgeWords purge;
    std::string older, newer, older_database_url;  // of diff: names of versions, or files of route tables
    bool json = false;
    KeyWords key;
};

[[nodiscard]] int check(const CommandLine& line);
[[nodiscard]] int migrate(const CommandLine& line);
[[nodiscard]] int diff(const CommandLine& line);  // exit code 1: the newer version breaks clients of the older one
[[nodiscard]] int init(const CommandLine& line);
[[nodiscard]] int health(const CommandLine& line);  // asks the admin listener of a running process for /readyz
[[nodiscard]] int cache(const CommandLine& line);   // asks it for what is cached, or to purge
[[nodiscard]] int keys(const CommandLine& line);    // API keys: create, list, revoke

}  // namespace millrace::app

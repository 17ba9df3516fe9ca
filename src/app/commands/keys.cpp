// `millrace keys`: makes, lists and revokes API keys.
#include <unistd.h>

#include <array>
#include <iomanip>
#include <iostream>

#include "millrace/app/commands.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {
namespace {

int failed(const Error& error) {
    std::cerr << error.message << (error.details ? ": " + *error.details : "") << '\n';
    return 1;
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) (out += out.empty() ? "" : " ") += word;
    return out;
}

int create(const std::string& url, const KeyWords& words, const std::string& login_role) {
    if (words.name.empty() || words.role.empty()) {
        std::cerr << "millrace keys create --name NAME --role ROLE [--scope SCOPE]… [--plan PLAN] [--expires TIME] [--grant-to "
                     "ROLE]\n";
        return 2;
    }
    std::array<unsigned char, auth::api_key_random_bytes> random{};
    if (::getentropy(random.data(), random.size()) != 0)
        return failed(Error::of(Fault::internal, "The system gives no random bytes"));
    const auth::NewApiKey made = auth::make_api_key(random);
    const pg::KeptApiKey kept{made.id, words.name, words.role, joined(words.scopes), words.plan, {}, words.expires, {}};
    if (auto added = pg::add_api_key(url, kept, text::hex(made.hash), login_role); !added) return failed(added.error());
    std::cout << made.key << '\n';
    std::cerr << "This is the only time that the key is shown: Postgres has its hash.\n";
    return 0;
}

int list(const std::string& url) {
    const auto keys = pg::list_api_keys(url);
    if (!keys) return failed(keys.error());
    for (const pg::KeptApiKey& key : *keys) {
        std::cout << key.id << "  " << (key.revoked.empty() ? "" : "revoked " + key.revoked + "  ") << key.name << "  role "
                  << key.role;
        if (!key.scopes.empty()) std::cout << "  scopes " << key.scopes;
        if (!key.plan.empty()) std::cout << "  plan " << key.plan;
        if (!key.expires.empty()) std::cout << "  expires " << key.expires;
        std::cout << "  created " << key.created << '\n';
    }
    return 0;
}

int revoke(const std::string& url, const std::string& id) {
    const auto done = pg::revoke_api_key(url, id);
    if (!done) return failed(done.error());
    (*done ? std::cout : std::cerr) << (*done ? "The key is revoked.\n" : "There is no such key.\n");
    return *done ? 0 : 1;
}

}  // namespace

int keys(const CommandLine& line) {
    const Files files = read_files(line.source);
    for (const config::Problem& problem : files.problems) std::cerr << config::to_line(problem) << '\n';
    if (!files.problems.empty()) return 2;
    const std::string& url = files.settings.database.url;
    if (line.subcommand == "create") return create(url, line.key, line.grant_to);
    if (line.subcommand == "list") return list(url);
    if (line.subcommand == "revoke" && !line.key.id.empty()) return revoke(url, line.key.id);
    std::cerr << "millrace keys create, millrace keys list, or millrace keys revoke --id ID\n";
    return 2;
}

}  // namespace millrace::app

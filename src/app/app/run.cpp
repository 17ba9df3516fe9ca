// The command line: which command, with which settings.
#include <boost/program_options.hpp>
#include <iostream>

#include "millrace/app/app.hpp"
#include "millrace/app/commands.hpp"
#include "millrace/app/control.hpp"
#include "millrace/io/telemetry.hpp"

extern char** environ;  // NOLINT: POSIX names it so

namespace millrace::app {
namespace {

namespace po = boost::program_options;

constexpr std::string_view usage = R"(millrace: a REST API on Postgres

  millrace serve    [--config FILE]                     serve until SIGTERM; SIGHUP reloads
  millrace serve    --postgrest [--config FILE]         the same from PostgREST's settings: its FILE and PGRST_…
  millrace check    [--config FILE] [--offline]         do the files fit each other and the database?
  millrace migrate  [--config FILE] [--print|--remove] [--grant-to ROLE]
                                                        the triggers that tell caches what changed, and a table of answers;
                                                        ROLE is what the server logs in as, if it is not who migrates
  millrace migrate  --decoding [--print|--remove]       the publication and the slot from which changes are decoded
  millrace init     --database-url URL [--schema NAME] [--output FILE] [--force]
                                                        a first route table from what the database has
  millrace diff     OLD NEW [--json] [--older-database-url URL]
                                                        what breaks for clients of OLD; exit 1 when something does.
                                                        OLD and NEW are versions (v1) or route tables (routes/v1.json)
  millrace health   [--config FILE]                     exit 0 when the process on this machine is ready
  millrace cache    stats [--config FILE]               what the process on this machine keeps in its cache
  millrace cache    purge [--tag TAG]… | --route v1/products | --version v1 | --all  [--hard]
                                                        across all replicas; --hard: not even to be given as stale
  millrace keys     create --name NAME --role ROLE [--scope SCOPE]… [--plan PLAN] [--expires TIME] [--grant-to ROLE]
  millrace keys     list | revoke --id ID               API keys, which Postgres keeps as hashes
  millrace settings [--markdown|--schema-json|--routes-schema-json|--metrics|--metric-names]
                                                        every setting and every metric, as the documentation has them
  millrace version

FILE is config/millrace.json unless MILLRACE_CONFIG says otherwise. Every setting is a flag too: --listen 0.0.0.0:8080,
--database-url postgresql://…; docs/configuration.md has them all.
)";

std::map<std::string, std::string> environment(std::string_view prefix) {
    std::map<std::string, std::string> out;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view pair(*entry);
        const auto equals = pair.find('=');
        if (pair.starts_with(prefix) && equals != std::string_view::npos)
            out.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    }
    return out;
}

// What is no option of the command line itself is a setting: "--name value" or "--name=value".
std::map<std::string, std::string> settings_of(const std::vector<std::string>& words) {
    std::map<std::string, std::string> flags;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (!words[i].starts_with("--")) throw po::error("'" + words[i] + "' is not understood");
        const std::string name = words[i].substr(2);
        if (const auto equals = name.find('='); equals != std::string::npos) {
            flags[name.substr(0, equals)] = name.substr(equals + 1);
        } else if (i + 1 < words.size()) {
            flags[name] = words[++i];
        } else {
            throw po::error("'--" + name + "' needs a value");
        }
    }
    return flags;
}

std::string default_file(const config::Environment& variables) {
    const auto named = variables.find("MILLRACE_CONFIG");
    return named == variables.end() ? "config/millrace.json" : named->second;
}

CommandLine parse(int argc, const char* const* argv) {
    CommandLine line;
    line.command = argc > 1 ? argv[1] : "";
    line.source.environment = environment("MILLRACE_");
    line.source.postgrest_environment = environment("PGRST_");
    po::options_description options;
    options.add_options()("config", po::value(&line.source.file))("postgrest", po::bool_switch(&line.source.postgrest))(
        "print", po::bool_switch(&line.print))("remove", po::bool_switch(&line.remove))("force", po::bool_switch(&line.force))(
        "offline", po::bool_switch(&line.offline))("decoding", po::bool_switch(&line.decoding))(
        "schema", po::value(&line.schema))("output", po::value(&line.output))("grant-to", po::value(&line.grant_to));
    if (line.command == "cache") {
        options.add_options()("tag", po::value(&line.purge.tags))("route", po::value(&line.purge.route))(
            "version", po::value(&line.purge.version))("all", po::bool_switch(&line.purge.all))(
            "hard", po::bool_switch(&line.purge.hard));
    }
    if (line.command == "diff") {
        options.add_options()("json", po::bool_switch(&line.json))("older-database-url", po::value(&line.older_database_url));
        if (argc < 4) throw po::error("diff needs two versions");
        line.older = argv[2];
        line.newer = argv[3];
    }
    if (line.command == "keys") {
        options.add_options()("id", po::value(&line.key.id))("name", po::value(&line.key.name))(
            "role", po::value(&line.key.role))("scope", po::value(&line.key.scopes))("plan", po::value(&line.key.plan))(
            "expires", po::value(&line.key.expires));
    }
    const bool has_subcommand = line.command == "cache" || line.command == "keys";
    if (has_subcommand && argc > 2) line.subcommand = argv[2];
    const int first = line.command == "diff" ? 4 : has_subcommand ? 3 : 2;
    std::vector<std::string> words(argv + std::min(argc, first), argv + argc);
    // Whole names only: a setting's name may begin like an option's.
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    const auto parsed = po::command_line_parser(words).options(options).style(style).allow_unregistered().run();
    po::variables_map values;
    po::store(parsed, values);
    po::notify(values);
    if (line.source.file.empty() && !line.source.postgrest) line.source.file = default_file(line.source.environment);
    line.source.flags = settings_of(po::collect_unrecognized(parsed.options, po::include_positional));
    return line;
}

int serve_command(CommandLine line) {
    Files files = read_files(line.source);
    for (const std::string& warning : files.warnings) std::cerr << "warning: " << warning << '\n';
    for (const config::Problem& problem : files.problems) std::cerr << config::to_line(problem) << '\n';
    if (!files.problems.empty()) return 2;
    return serve(std::move(line.source), std::move(files));
}

int obey(CommandLine line) {
    if (line.command == "serve") return serve_command(std::move(line));
    if (line.command == "check") return check(line);
    if (line.command == "migrate") return migrate(line);
    if (line.command == "diff") return diff(line);
    if (line.command == "init") return init(line);
    if (line.command == "health") return health(line);
    if (line.command == "cache") return cache(line);
    if (line.command == "keys") return keys(line);
    if (line.command == "version") {
        std::cout << "millrace " << telemetry::version() << '\n';
        return 0;
    }
    const bool asked = line.command == "help" || line.command == "--help" || line.command == "-h";
    (asked ? std::cout : std::cerr) << usage;
    return asked ? 0 : 2;
}

// Prints what is generated from the code's own tables; docs/ and config/ hold copies that a test compares.
int print_generated(std::string_view what) {
    if (what == "--markdown") {
        std::cout << config::documentation();
    } else if (what == "--schema-json") {
        std::cout << config::json_schema();
    } else if (what == "--routes-schema-json") {
        std::cout << routes::json_schema();
    } else if (what == "--metrics") {
        std::cout << telemetry::Telemetry::documentation();
    } else if (what == "--metric-names") {
        std::cout << telemetry::Telemetry::names();
    } else {
        std::cerr << usage;
        return 2;
    }
    return 0;
}

}  // namespace

int run(int argc, const char* const* argv) {
    try {
        if (argc > 1 && std::string_view(argv[1]) == "settings") return print_generated(argc > 2 ? argv[2] : "--markdown");
        return obey(parse(argc, argv));
    } catch (const po::error& error) {
        std::cerr << "millrace: " << error.what() << "; see millrace help\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "millrace: " << error.what() << '\n';
        return 1;
    }
}

}  // namespace millrace::app

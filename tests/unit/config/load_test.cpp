// The reader of settings: precedence, bounds, secrets, and what is said about mistakes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/core/config.hpp"

namespace millrace::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::optional<std::string> no_files(const std::string&) { return std::nullopt; }

Loaded from_file(std::string_view text) { return load(text, "millrace.json", {}, no_files); }

std::vector<std::string> lines(const Loaded& loaded) {
    std::vector<std::string> out;
    for (const Problem& problem : loaded.problems) out.push_back(to_line(problem));
    return out;
}

}  // namespace

TEST(ConfigLoad, nothing_given_means_the_defaults) {
    const Loaded loaded = load("", "", {}, no_files);
    EXPECT_THAT(lines(loaded), IsEmpty());
    EXPECT_EQ(loaded.settings.listen.port, 8080);
    EXPECT_EQ(loaded.settings.database.fast_lanes, Settings{}.database.fast_lanes);
}

TEST(ConfigLoad, later_sources_win) {
    const char* text = R"({"database": {"fast_lanes": 3, "slow_lanes": 3, "queue_max": 3}})";
    const Environment environment{{"MILLRACE_DATABASE_SLOW_LANES", "5"}, {"MILLRACE_DATABASE_QUEUE_MAX", "5"}};
    const Loaded loaded = load(text, "millrace.json", environment, no_files, {{"database-queue-max", "7"}});
    EXPECT_THAT(lines(loaded), IsEmpty());
    EXPECT_EQ(loaded.settings.database.fast_lanes, 3U);
    EXPECT_EQ(loaded.settings.database.slow_lanes, 5U);
    EXPECT_EQ(loaded.settings.database.queue_max, 7U);
    EXPECT_EQ(loaded.settings.database.lane_depth_max, Settings{}.database.lane_depth_max);
}

TEST(ConfigLoad, every_type_is_read_from_the_file) {
    const Loaded loaded = from_file(R"({
        // a comment
        "$schema": "./x.json", "listen": ":81", /* another */ "routes": ["a.json", "b.json"],
        "log": {"level": "warn", "access": false}, "workers": 2})");
    EXPECT_THAT(lines(loaded), IsEmpty());
    EXPECT_EQ(loaded.settings.listen.address, "0.0.0.0");
    EXPECT_EQ(loaded.settings.listen.port, 81);
    EXPECT_THAT(loaded.settings.routes, ElementsAre("a.json", "b.json"));
    EXPECT_EQ(loaded.settings.log.level, "warn");
    EXPECT_FALSE(loaded.settings.log.access);
    EXPECT_EQ(loaded.settings.workers, 2U);
}

TEST(ConfigLoad, every_type_is_read_from_the_environment) {
    const Loaded loaded = load("", "",
                               {{"MILLRACE_LISTEN", "[::1]:0"},
                                {"MILLRACE_WORKERS", "4"},
                                {"MILLRACE_ROUTES", "a.json, b.json"},
                                {"MILLRACE_LOG_ACCESS", "off"},
                                {"MILLRACE_DATABASE_URL", "postgresql:///shop"}},
                               no_files);
    EXPECT_THAT(lines(loaded), IsEmpty());
    EXPECT_EQ(loaded.settings.listen.address, "::1");
    EXPECT_EQ(loaded.settings.listen.port, 0);
    EXPECT_EQ(loaded.settings.workers, 4U);
    EXPECT_THAT(loaded.settings.routes, ElementsAre("a.json", "b.json"));
    EXPECT_FALSE(loaded.settings.log.access);
    EXPECT_EQ(loaded.settings.database.url, "postgresql:///shop");
}

TEST(ConfigLoad, says_what_is_wrong_on_one_line) {
    struct {
        const char* text;
        const char* line;
    } const cases[] = {
        {R"({"database": {"fast_lane": 2}})", R"(millrace.json: /database/fast_lane: unknown key; did you mean "fast_lanes"?)"},
        {R"({"databse": {}})", R"(millrace.json: /databse: unknown key; did you mean "database"?)"},
        {R"({"zzzzzzzzzz": 1})", "millrace.json: /zzzzzzzzzz: unknown key"},
        {R"({"workers": "two"})", R"(millrace.json: /workers: must be a whole number, is "two")"},
        {R"({"workers": 1.5})", "millrace.json: /workers: must be a whole number, is 1.5"},
        {R"({"workers": -1})", "millrace.json: /workers: must be between 0 and 256, is -1"},
        {R"({"workers": 257})", "millrace.json: /workers: must be between 0 and 256, is 257"},
        {R"({"workers": null})", "millrace.json: /workers: must be a whole number, is null"},
        {R"({"workers": 1000000000000000000000000000000})", "millrace.json: /workers: must be a whole number, is 1e+30"},
        {R"({"log": {"access": 1}})", "millrace.json: /log/access: must be true or false, is 1"},
        {R"({"log": {"level": "loud"}})",
         R"(millrace.json: /log/level: must be one of trace, debug, info, warn, error, off, is "loud")"},
        {R"({"log": true})", "millrace.json: /log: must be an object: { … }"},
        {R"({"routes": "a.json"})", R"(millrace.json: /routes: must be a list of texts, is "a.json")"},
        {R"({"routes": ["a", 1]})", "millrace.json: /routes: must be a list of texts that are not empty"},
        {R"({"redis": {"key_prefix": ""}})", "millrace.json: /redis/key_prefix: must have between 1 and 64 bytes"},
        {R"({"database": {"url": 5}})", "millrace.json: /database/url: must be a text, is 5"},
        {R"({"database": {"url": "a\u0000b"}})", "millrace.json: /database/url: must not contain a zero byte"},
        {R"({"workers": 1, "workers": 2})", "millrace.json: /workers: stands twice"},
        {R"({"log": {"access": true, "access": false}})", "millrace.json: /log/access: stands twice"},
        {R"([1])", "millrace.json: must be an object: { … }"},
        {R"({"cache": {"heartbeat_ms": 5000}})",
         "millrace.json: /cache/heartbeat_ms: must be shorter than lag_limit_ms, or the cache is never used"},
        {R"({"proxies": {"trusted": ["10.0.0.0/8", "10.0.0.1/8"]}})",
         R"(millrace.json: /proxies/trusted/1: "10.0.0.1/8" is no network: the one that this address is in begins at 10.0.0.0)"},
        {R"({"proxies": {"protocol": ["haproxy"]}})",
         R"(millrace.json: /proxies/protocol/0: "haproxy" is no network: it is not an address, nor one with '/' and a number of bits)"},
        {R"({"limits": {"rate_burst": 5}})", "millrace.json: /limits/rate_burst: has no meaning while rate_per_s is 0"},
    };
    for (const auto& c : cases) EXPECT_THAT(lines(from_file(c.text)), ElementsAre(c.line)) << c.text;
}

TEST(ConfigLoad, reports_every_problem_and_keeps_what_is_right) {
    const Loaded loaded = from_file(R"({"workers": "x", "database": {"fast_lanes": 0, "slow_lanes": 9}, "lisen": 1})");
    EXPECT_EQ(loaded.problems.size(), 3U);
    EXPECT_EQ(loaded.settings.database.slow_lanes, 9U);
    EXPECT_EQ(loaded.settings.database.fast_lanes, Settings{}.database.fast_lanes);
}

TEST(ConfigLoad, bad_json_is_told_with_line_and_column) {
    const auto problems = lines(from_file("{\n  \"workers\": 1,\n  \"listen\" 5\n}"));
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_THAT(problems[0], testing::StartsWith("millrace.json:3:12: bad JSON: "));
}

TEST(ConfigLoad, bad_json_never_quotes_what_may_be_a_secret) {
    const auto problems = lines(from_file("{\"database\": {\"url\": \"postgresql://u:hunter2@h/d\n\"}}"));
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_THAT(problems[0], testing::Not(HasSubstr("hunter2")));
    const auto typed = lines(from_file(R"({"auth": {"jwt_secret": ["hunter2"]}})"));
    ASSERT_EQ(typed.size(), 1U);
    EXPECT_THAT(typed[0], testing::Not(HasSubstr("hunter2")));
}

TEST(ConfigLoad, hostile_files_end_in_one_problem) {
    const std::string deep = "{\"workers\": " + std::string(100'000, '[');
    const std::string closed = deep + std::string(100'000, ']') + "}";
    const std::string cases[] = {deep, closed, std::string(1024 * 1024 + 1, ' '), "\xff\xfe", "{\"a", "//"};
    for (const auto& text : cases) EXPECT_EQ(from_file(text).problems.size(), 1U) << text.substr(0, 20);
}

TEST(ConfigLoad, a_key_with_line_breaks_stays_on_one_line) {
    const auto problems = lines(from_file("{\"a\\nb\\u007f\": 1}"));
    EXPECT_THAT(problems, ElementsAre("millrace.json: /a?b?: unknown key"));
}

TEST(ConfigLoad, listen_takes_three_forms) {
    struct {
        const char* text;
        const char* address;  // nullptr: refused
        int port;
    } const cases[] = {
        {"127.0.0.1:8080", "127.0.0.1", 8080},
        {":80", "0.0.0.0", 80},
        {"[::1]:0", "::1", 0},
        {"localhost:1", "127.0.0.1", 1},
        {"[fe80::1%eth0]:1", "fe80::1%eth0", 1},
        {"", nullptr, 0},
        {"8080", nullptr, 0},
        {"127.0.0.1", nullptr, 0},
        {"127.0.0.1:", nullptr, 0},
        {"127.0.0.1:65536", nullptr, 0},
        {"127.0.0.1:+1", nullptr, 0},
        {"127.0.0.256:1", nullptr, 0},
        {"127.0.0:1", nullptr, 0},
        {"::1:80", nullptr, 0},
        {"[]:80", nullptr, 0},
        {"[1.2.3.4]:80", nullptr, 0},
        {"example.org:80", nullptr, 0},
        {"[::1%]:80", nullptr, 0},
        {"127.0.0.1:80 ", nullptr, 0},
    };
    for (const auto& c : cases) {
        const Loaded loaded = load("", "", {}, no_files, {{"listen", c.text}});
        EXPECT_EQ(loaded.problems.empty(), c.address != nullptr) << c.text;
        if (c.address == nullptr) continue;
        EXPECT_EQ(loaded.settings.listen.address, c.address);
        EXPECT_EQ(loaded.settings.listen.port, c.port);
    }
}

TEST(ConfigLoad, unknown_variables_and_flags_are_problems) {
    const Loaded loaded = load("", "", {{"MILLRACE_DATABASE_URI", "x"}, {"MILLRACE_CONFIG", "x"}, {"HOME", "/"}}, no_files,
                               {{"databse-url", "x"}});
    EXPECT_THAT(lines(loaded),
                ElementsAre(R"(environment: MILLRACE_DATABASE_URI: unknown setting; did you mean "MILLRACE_DATABASE_URL"?)",
                            R"(command line: --databse-url: unknown setting; did you mean "--database-url"?)"));
}

TEST(ConfigLoad, what_kubernetes_sets_beside_a_service_is_no_problem) {
    const Environment environment{{"MILLRACE_PORT", "tcp://10.0.0.1:80"},
                                  {"MILLRACE_SERVICE_HOST", "10.0.0.1"},
                                  {"MILLRACE_SERVICE_PORT_HTTP", "80"},
                                  {"MILLRACE_ADMIN_PORT_9090_TCP_ADDR", "10.0.0.1"}};
    EXPECT_THAT(lines(load("", "", environment, no_files)), IsEmpty());
    EXPECT_THAT(lines(load("", "", {{"MILLRACE_PORTS", "1"}}, no_files)), testing::SizeIs(1));
}

TEST(ConfigLoad, secrets_come_from_files_without_their_last_newline) {
    std::vector<std::string> asked;
    const ReadFile read = [&](const std::string& path) -> std::optional<std::string> {
        asked.push_back(path);
        return path == "conf/secrets/url" ? "postgresql://a\n" : "key\r\n";
    };
    const Loaded loaded = load(R"({"database": {"url_file": "secrets/url"}})", "conf/millrace.json",
                               {{"MILLRACE_AUTH_JWT_SECRET_FILE", "/run/jwt"}}, read, {{"redis-url-file", "here"}});
    EXPECT_THAT(lines(loaded), IsEmpty());
    EXPECT_EQ(loaded.settings.database.url, "postgresql://a");
    EXPECT_EQ(loaded.settings.auth.jwt_secret, "key");
    EXPECT_THAT(asked, ElementsAre("conf/secrets/url", "/run/jwt", "here"));
}

TEST(ConfigLoad, secret_files_have_problems_of_their_own) {
    struct {
        const char* text;
        const char* line;
    } const cases[] = {
        {R"({"database": {"url_file": "gone"}})", R"(millrace.json: /database/url_file: cannot read the file "gone")"},
        {R"({"database": {"url_file": 5}})", "millrace.json: /database/url_file: must be a path"},
        {R"({"log": {"level_file": "x"}})", R"(millrace.json: /log/level_file: unknown key; did you mean "level"?)"},
    };
    for (const auto& c : cases) EXPECT_THAT(lines(from_file(c.text)), ElementsAre(c.line));
    const ReadFile read = [](const std::string&) { return std::optional<std::string>("x"); };
    EXPECT_THAT(lines(load(R"({"redis": {"url": "a", "url_file": "b"}})", "f", {}, read)),
                ElementsAre("f: /redis/url: is set both here and by a file; set one of the two"));
    EXPECT_THAT(lines(load("", "", {{"MILLRACE_REDIS_URL", "a"}, {"MILLRACE_REDIS_URL_FILE", "b"}}, read)),
                ElementsAre("environment: MILLRACE_REDIS_URL: is set both here and by a file; set one of the two"));
}

}  // namespace millrace::config

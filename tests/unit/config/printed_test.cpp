// What is printed from the table of settings: the committed files are in step, the example is valid, and secrets stay hidden.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "millrace/core/config.hpp"

namespace millrace::config {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string source(const std::string& path) { return std::string(MILLRACE_SOURCE_DIR) + "/" + path; }

std::string content(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

// What is printed is laid beside the temporary files, to be copied over the committed one when the difference is meant.
void expect_in_step(const std::string& path, const std::string& printed) {
    const std::string fresh = testing::TempDir() + std::filesystem::path(path).filename().string();
    const bool same = content(source(path)) == printed;
    if (!same) std::ofstream(fresh, std::ios::binary) << printed;
    EXPECT_TRUE(same) << path << " is out of step with the table of settings; cp " << fresh << " " << path;
}

// The part of JSON Schema that the printed schema uses.
class Validator {
public:
    std::vector<std::string> problems;

    void check(const json& schema, const json& value, const std::string& at) {
        if (schema.contains("type") && !is(schema["type"], value)) return complain(at, "type");
        if (schema.contains("enum") && std::ranges::count(schema["enum"], value) == 0) complain(at, "enum");
        if (value.is_object()) members(schema, value, at);
        if (value.is_array()) items(schema, value, at);
        if (value.is_number()) number(schema, value, at);
        if (value.is_string()) string(schema, value.get<std::string>(), at);
    }

private:
    static bool is(const std::string& type, const json& value) {
        return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
               (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
               (type == "integer" && value.is_number_integer());
    }
    void members(const json& schema, const json& value, const std::string& at) {
        for (const json& name : schema.value("required", json::array()))
            if (!value.contains(name.get<std::string>())) complain(at, "required");
        for (const auto& [key, member] : value.items()) {
            if (schema["properties"].contains(key))
                check(schema["properties"][key], member, at + "/" + key);
            else if (!schema.value("additionalProperties", true))
                complain(at + "/" + key, "additionalProperties");
        }
    }
    void items(const json& schema, const json& value, const std::string& at) {
        if (value.size() > schema.value("maxItems", value.size())) complain(at, "maxItems");
        for (const json& item : value) check(schema["items"], item, at + "/*");
    }
    void number(const json& schema, const json& value, const std::string& at) {
        if (schema.contains("minimum") && value < schema["minimum"]) complain(at, "minimum");
        if (schema.contains("maximum") && value > schema["maximum"]) complain(at, "maximum");
    }
    void string(const json& schema, const std::string& value, const std::string& at) {
        if (value.size() < schema.value("minLength", std::size_t{0})) complain(at, "minLength");
        if (value.size() > schema.value("maxLength", value.size())) complain(at, "maxLength");
        if (schema.contains("pattern") && !std::regex_search(value, std::regex(schema["pattern"].get<std::string>())))
            complain(at, "pattern");
    }
    void complain(const std::string& at, const std::string& keyword) { problems.push_back(at + " " + keyword); }
};

std::vector<std::string> validate(const json& value) {
    Validator validator;
    validator.check(json::parse(json_schema()), value, "");
    return validator.problems;
}

Loaded load_text(const std::string& text) {
    return load(text, "f", {}, [](const std::string&) { return std::nullopt; });
}

}  // namespace

TEST(ConfigPrinted, documentation_is_in_step) { expect_in_step("docs/configuration.md", documentation()); }

TEST(ConfigPrinted, schema_is_in_step) { expect_in_step("config/millrace.schema.json", json_schema()); }

TEST(ConfigPrinted, the_shipped_example_loads_and_fits_the_schema) {
    const std::string text = content(source("config/millrace.json"));
    const Loaded loaded = load_text(text);
    for (const Problem& problem : loaded.problems) ADD_FAILURE() << to_line(problem);
    EXPECT_EQ(loaded.settings.routes.size(), 2U);
    EXPECT_EQ(loaded.settings.database.anonymous_role, "shop_anonymous");
    EXPECT_THAT(validate(json::parse(text, nullptr, true, true)), testing::IsEmpty());
}

TEST(ConfigPrinted, schema_and_reader_refuse_the_same) {
    const char* const cases[] = {
        R"({"workers": "2"})",
        R"({"workers": 257})",
        R"({"workers": -1})",
        R"({"workers": 1.5})",
        R"({"lisen": ":1"})",
        R"({"database": {"fast_lane": 1}})",
        R"({"log": {"level": "x"}})",
        R"({"log": []})",
        R"({"routes": ["a", 1]})",
        R"({"routes": [""]})",
        R"({"listen": "nowhere"})",
        R"({"redis": {"key_prefix": ""}})",
        R"({"redis": {"url": 1}})",
        R"({"log": {"access": 0}})",
        R"({"database": {"url_file": 1}})",
    };
    for (const char* text : cases) {
        EXPECT_THAT(validate(json::parse(text)), testing::SizeIs(1)) << text;
        EXPECT_THAT(load_text(text).problems, testing::SizeIs(1)) << text;
    }
}

TEST(ConfigPrinted, the_masked_form_of_the_defaults_is_a_configuration) {
    const std::string printed = masked_json(Settings{});
    EXPECT_THAT(load_text(printed).problems, testing::IsEmpty());
    EXPECT_THAT(validate(json::parse(printed)), testing::IsEmpty());
    EXPECT_EQ(masked_json(load_text(printed).settings), printed);
}

TEST(ConfigPrinted, passwords_are_masked_wherever_they_stand) {
    struct {
        const char* url;
        const char* shown;
    } const cases[] = {
        {"postgresql://u:pw@h:5432/d", "postgresql://u:***@h:5432/d"},
        {"postgresql://u:p@w/x@h/d", "postgresql://u:***@h/d"},
        {"postgresql://u@h/d", "postgresql://u@h/d"},
        {"postgresql://h:5432/d?user=u&password=pw&sslmode=require",
         "postgresql://h:5432/d?user=u&password=***&sslmode=require"},
        {"postgresql:///d?sslpassword=pw", "postgresql:///d?sslpassword=***"},
        {"host=h password=pw dbname=d", "host=h password=*** dbname=d"},
        {"password = 'p w\\' x' host=h", "password = *** host=h"},
        {"password=", "password=***"},
        {"redis://:pw@h:6379/0", "redis://:***@h:6379/0"},
        {"", ""},
    };
    for (const auto& c : cases) {
        Settings settings;
        settings.database.url = c.url;
        EXPECT_EQ(json::parse(masked_json(settings))["database"]["url"], c.shown);
    }
}

TEST(ConfigPrinted, whole_secrets_are_stars) {
    Settings settings;
    settings.auth.jwt_secret = "hunter2";
    settings.redis.url = "redis://:hunter2@h";
    EXPECT_THAT(masked_json(settings), Not(HasSubstr("hunter2")));
    EXPECT_EQ(json::parse(masked_json(settings))["auth"]["jwt_secret"], "***");
    EXPECT_EQ(json::parse(masked_json(Settings{}))["auth"]["jwt_secret"], "");
}

}  // namespace millrace::config

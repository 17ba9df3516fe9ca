// Bodies: JSON, CSV and forms as rows.
#include <gtest/gtest.h>

#include "show.hpp"

namespace millrace::request {
namespace {

using testing::show;

ApiRequest insert(std::string_view type = "application/json", Action action = Action::insert) {
    ApiRequest request;
    request.action = action;
    request.content_type = type;
    return request;
}

std::string rows(const ApiRequest& request, std::string_view body) {
    auto payload = parse_payload(request, body);
    if (!payload) return show(payload.error());
    return payload->json + " " + show(payload->keys) + (payload->is_array ? " array of " : " object ") +
           std::to_string(payload->rows);
}

struct Case {
    const char* body;
    const char* shown;
};

TEST(Payload, reads_json) {
    const Case cases[] = {
        {R"({"a":1,"b":null})", R"({"a":1,"b":null} [a|b] object 1)"},
        {R"([{"a":1},{"a":2}])", R"([{"a":1},{"a":2}] [a] array of 2)"},
        {R"([{"a":1,"b":2},{"b":1,"a":2}])", R"([{"a":1,"b":2},{"b":1,"a":2}] [a|b] array of 2)"},
        {R"([{"a":1,"a":2},{"a":3}])", R"([{"a":1,"a":2},{"a":3}] [a] array of 2)"},
        {"[]", "[] [] array of 0"},
        {"{}", "{} [] object 1"},
        {"[{},{}]", "[{},{}] [] array of 2"},
        {" [ ] ", " [ ]  [] array of 0"},
        {"5", "[] [] array of 0"},
        {"\"x\"", "[] [] array of 0"},
        {"null", "[] [] array of 0"},
        {R"({"a":[1,{"b":{}}],"c":"\u00e9\ud83d\ude00\n","d":-1.5e+300,"e":true,"f":false})",
         R"({"a":[1,{"b":{}}],"c":"\u00e9\ud83d\ude00\n","d":-1.5e+300,"e":true,"f":false} [a|c|d|e|f] object 1)"},
        {R"({"n":1e400,"m":123456789012345678901234567890})",
         R"({"n":1e400,"m":123456789012345678901234567890} [n|m] object 1)"},
        {R"([{"\u0061\"\ud83d\ude00":1},{"a\"😀":2}])", R"([{"\u0061\"\ud83d\ude00":1},{"a\"😀":2}] [a"😀] array of 2)"},
    };
    for (const auto& c : cases) EXPECT_EQ(rows(insert(), c.body), c.shown) << c.body;
}

TEST(Payload, refuses_what_is_no_json) {
    for (const char* body : {"",           " ",
                             "}{ x = 2",   "{",
                             "[",          "[1",
                             "{\"a\"}",    "{\"a\":}",
                             "{\"a\":1,}", "[1,]",
                             "{a:1}",      "{'a':1}",
                             "[01]",       "[1.]",
                             "[.5]",       "[-]",
                             "[1e]",       "[+1]",
                             "[nul]",      "[truex]",
                             "[\"\\x\"]",  "[\"\\u12g4\"]",
                             "[\"\\u12\"", "[\"a\nb\"]",
                             "[\"open]",   "[1] 2",
                             "[NaN]",      "/**/[]",
                             "[\"\xFF\"]", "\xEF\xBB\xBF[]"})
        EXPECT_EQ(rows(insert(), body), "400 PGRST102 Empty or invalid json") << body;
}

TEST(Payload, refuses_rows_that_differ) {
    for (const char* body :
         {R"([{"a":1},{"b":1}])", R"([{"a":1},{"a":1,"b":1}])", R"([{"a":1,"b":1},{"a":1}])", "[{},1]", "[1]",
          R"([{"a":1,"b":2},{"a":1,"a":2}])", R"([{"a":1},123,"x",{"a":2}])", "[[]]", R"([{"a":1},{}])"})
        EXPECT_EQ(rows(insert(), body), "400 PGRST102 All object keys must match") << body;
}

TEST(Payload, columns_allow_rows_that_differ) {
    for (Action action : {Action::insert, Action::update, Action::call}) {
        ApiRequest request = insert("application/json", action);
        request.has_columns = true;
        EXPECT_EQ(rows(request, R"([{"a":1},{"b":1}])"), R"([{"a":1},{"b":1}] [a] array of 2)");
        EXPECT_EQ(rows(request, "[{]"), "[{] [] array of 0");  // Postgres says what is wrong with it
        EXPECT_EQ(rows(request, "7"), "7 [] array of 0");
        EXPECT_EQ(rows(request, std::string("[]\0", 3)), "400 PGRST102 Empty or invalid json");
    }
    ApiRequest put = insert("application/json", Action::replace);
    put.has_columns = true;
    EXPECT_FALSE(parse_payload(put, R"([{"a":1},{"b":1}])"));
}

TEST(Payload, bounds_depth_and_keys_of_json) {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    ApiRequest request = insert();
    request.has_columns = true;
    EXPECT_TRUE(parse_payload(request, nested(128)));
    EXPECT_FALSE(parse_payload(request, nested(129)));
    EXPECT_FALSE(parse_payload(request, nested(1'000'000)));
    EXPECT_FALSE(parse_payload(request, std::string(1'000'000, '[')));
    std::string object = "{\"c0\":0";
    for (int i = 1; i < 1'664; ++i) object += ",\"c" + std::to_string(i) + "\":0";
    EXPECT_EQ(parse_payload(insert(), object + "}")->keys.size(), 1'664U);
    EXPECT_EQ(parse_payload(insert(), object + ",\"more\":0}").error().message, "Too many object keys");
}

TEST(Payload, reads_csv) {
    const Case cases[] = {
        {"a,b\n1,x\n2,y\n", R"([{"a":"1","b":"x"},{"a":"2","b":"y"}] [a|b] array of 2)"},
        {"a,b\r\n1,x", R"([{"a":"1","b":"x"}] [a|b] array of 1)"},
        {"a,b\n\"x,\"\"y\"\"\n\",NULL", R"([{"a":"x,\"y\"\n","b":null}] [a|b] array of 1)"},
        {"a,b\n\"NULL\",", R"([{"a":"NULL","b":""}] [a|b] array of 1)"},
        {"a\n\n\n1\n\n", R"([{"a":"1"}] [a] array of 1)"},
        {"a,b", "[] [a|b] array of 0"},
        {"\"a b\",c\nd,e", R"([{"a b":"d","c":"e"}] [a b|c] array of 1)"},
        {"\xEF\xBB\xBF"
         "a\n1",
         R"([{"a":"1"}] [a] array of 1)"},
        {"a,b\n,\n", R"([{"a":"","b":""}] [a|b] array of 1)"},
        {"a,b\nfoo,bar\nbaz", "400 PGRST102 All lines must have same number of fields"},
        {"a\n1,2", "400 PGRST102 All lines must have same number of fields"},
        {"", "400 PGRST102 Empty or invalid CSV"},
        {"a,a\n1,2", "400 PGRST102 A CSV column is named twice"},
        {"a\n\"open", "400 PGRST102 Invalid CSV: a quote is not closed or stands inside a field"},
        {"a\n\"x\"y", "400 PGRST102 Invalid CSV: a quote is not closed or stands inside a field"},
        {"a\nx\"y", "400 PGRST102 Invalid CSV: a quote is not closed or stands inside a field"},
        {"a\n\xFF", "400 PGRST102 The body is no valid UTF-8"},
    };
    for (const auto& c : cases) EXPECT_EQ(rows(insert("text/csv"), c.body), c.shown) << c.body;
}

TEST(Payload, reads_forms) {
    const Case cases[] = {
        {"a=1&b=x+y%26", R"({"a":"1","b":"x y&"} [a|b] object 1)"},
        {"a=1&a=2", R"({"a":"2"} [a] object 1)"},
        {"a&b=", R"({"a":"","b":""} [a|b] object 1)"},
        {"", "{} [] object 1"},
        {"a=%FF", "400 PGRST102 The body is no valid UTF-8"},
    };
    for (const auto& c : cases) EXPECT_EQ(rows(insert("application/x-www-form-urlencoded"), c.body), c.shown) << c.body;
    const auto call = parse_payload(insert("application/x-www-form-urlencoded", Action::call), "v=1&v=2");
    ASSERT_TRUE(call);
    EXPECT_EQ(call->arguments.size(), 2U);
}

TEST(Payload, other_types_are_for_calls_or_for_nobody) {
    for (const char* type : {"text/plain", "text/xml", "application/octet-stream"}) {
        EXPECT_EQ(rows(insert(type), "x"), std::string("400 PGRST102 Content-Type not acceptable: ") + type);
        const auto call = parse_payload(insert(type, Action::call), "<x>");
        ASSERT_TRUE(call);
        EXPECT_TRUE(call->raw);
        EXPECT_EQ(call->json, "<x>");
    }
    EXPECT_EQ(rows(insert("image/png"), "x"), "400 PGRST102 Content-Type not acceptable: image/png");
    EXPECT_TRUE(parse_payload(insert("application/octet-stream", Action::call), "\xFF\x00"));
    EXPECT_FALSE(parse_payload(insert("text/plain", Action::call), "\xFF"));
    EXPECT_EQ(rows(insert("", Action::call), ""), "{} [] object 1");
    EXPECT_EQ(rows(insert(""), R"({"a":1})"), R"({"a":1} [a] object 1)");
}

}  // namespace
}  // namespace millrace::request

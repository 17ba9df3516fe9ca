// Claims as a part of a key: who agrees in them shares answers, and nobody else.
#include <gtest/gtest.h>

#include <set>

#include "millrace/core/auth.hpp"

namespace millrace::auth {
namespace {

using Claims = std::vector<std::string>;

TEST(ClaimValues, are_equal_where_the_claims_are_equal_however_they_are_written) {
    const Claims claims{"sub", "org"};
    EXPECT_EQ(claim_values(R"({"sub":"7","org":{"a":1,"b":[2]},"exp":1})", claims),
              claim_values(R"({"exp":2, "org" : {"b":[2],"a":1}, "sub" : "\u0037"})", claims));
}

TEST(ClaimValues, differ_where_any_claim_differs) {
    std::set<std::string> texts;
    const std::vector<const char*> payloads{
        R"({})",
        R"({"a":null})",
        R"({"a":""})",
        R"({"a":"null"})",
        R"({"a":"-"})",
        R"({"a":[]})",
        R"({"a":{}})",
        R"({"a":0})",
        R"({"a":"0"})",
        R"({"a":false})",
        R"({"b":null})",
        R"({"b":"x"})",
        R"({"a":"x"})",
        R"({"a":"x","b":"y"})",
        R"({"a":"x\"=\"y"})",
        R"({"a":"x\"-"})",
        R"({"a":["x","y"]})",
        R"({"a":["x"],"b":["y"]})",
        // Numbers that are one double.
        R"({"a":123456789012345678901})",
        R"({"a":123456789012345678902})",
        R"({"a":0.1})",
        R"({"a":0.10000000000000000001})",
        R"({"a":[{"c":9007199254740993.0}]})",
        R"({"a":[{"c":9007199254740992.0}]})",
    };
    for (const char* payload : payloads)
        EXPECT_TRUE(texts.insert(claim_values(payload, {"a", "b"})).second) << payload << " looks like another";
}

TEST(ClaimValues, are_found_by_name_or_by_path) {
    const char* payload = R"({"https://x.y/z":"named","app":{"tenant":"t1","roles":["r0","r1"]},".a":"odd"})";
    EXPECT_EQ(claim_values(payload, {"https://x.y/z"}), R"(="named")");
    EXPECT_EQ(claim_values(payload, {".app.tenant"}), R"(="t1")");
    EXPECT_EQ(claim_values(payload, {"$.app['roles'][1]"}), R"(="r1")");
    EXPECT_EQ(claim_values(payload, {"app.tenant"}), "-");
    EXPECT_EQ(claim_values(payload, {".app.tenant.deeper"}), "-");
    EXPECT_EQ(claim_values(payload, {}), "");
    EXPECT_EQ(claim_values("no json", {"a", ".b"}), "--");
}

TEST(ClaimValues, know_which_names_are_paths) {
    for (const char* good : {"sub", "https://x.y/z", "a b", ".a.b[0]", "$['a b']"}) EXPECT_TRUE(valid_claim(good)) << good;
    for (const char* bad : {"", ".", "$", ".a[", ".a..b"}) EXPECT_FALSE(valid_claim(bad)) << bad;
}

}  // namespace
}  // namespace millrace::auth

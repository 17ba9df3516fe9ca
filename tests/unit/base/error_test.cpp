// Every fault has its row, and Postgres' states map to PostgREST's statuses.
#include <gtest/gtest.h>

#include <set>

#include "millrace/core/base.hpp"

namespace millrace {

TEST(ErrorTable, every_fault_is_its_own_row) {
    for (int i = 0; i <= static_cast<int>(Fault::internal); ++i)
        EXPECT_EQ(static_cast<int>(fault_row(static_cast<Fault>(i)).fault), i);
}

TEST(ErrorTable, statuses_are_errors_and_texts_are_there) {
    for (int i = 0; i <= static_cast<int>(Fault::internal); ++i) {
        const FaultRow& row = fault_row(static_cast<Fault>(i));
        EXPECT_TRUE(row.status == 300 || (row.status >= 400 && row.status <= 599)) << row.code;
        EXPECT_FALSE(row.message.empty()) << row.code;
    }
}

TEST(ErrorTable, database_states_map_to_statuses) {
    struct Case {
        const char* state;
        bool authenticated;
        int status;
    };
    for (const Case& c :
         {Case{"23505", false, 409}, Case{"23503", false, 409}, Case{"42501", false, 401}, Case{"42501", true, 403},
          Case{"08006", false, 503}, Case{"P0001", false, 400}, Case{"22P02", false, 400}, Case{"53300", false, 503},
          Case{"25006", false, 405}, Case{"42P01", false, 404}, Case{"P0002", false, 500}})
        EXPECT_EQ(database_error({c.state, "m", "", ""}, c.authenticated).status, c.status) << c.state;
}

TEST(DatabaseError, some_states_depend_on_what_was_said) {
    const auto status = [](const char* state, const char* message) {
        return database_error({state, message, "", ""}, true).status;
    };
    EXPECT_EQ(status("21000", "UPDATE requires a WHERE clause"), 400);
    EXPECT_EQ(status("21000", "more than one row returned by a subquery used as an expression"), 500);
    EXPECT_EQ(status("22023", "role \"x\" does not exist"), 401);
    EXPECT_EQ(status("22023", "invalid value for parameter"), 400);
    EXPECT_EQ(status("42883", "function xmlagg(integer) does not exist"), 406);
    EXPECT_EQ(status("42883", "function f(integer) does not exist"), 404);
}

TEST(DatabaseError, pt_states_are_the_status) {
    for (const auto& [state, status] :
         {std::pair{"PT402", 402}, {"PT200", 200}, {"PT100", 500}, {"PT999", 500}, {"PTabc", 500}}) {
        const Error error = database_error({state, "m", "d", "h"}, false);
        EXPECT_EQ(error.status, status) << state;
        EXPECT_EQ(error.code, state);
        EXPECT_EQ(error.details, "d");
    }
}

TEST(DatabaseError, pgrst_says_the_whole_answer) {
    const Error error = database_error({"PGRST", R"({"code":"123","message":"ABC","details":"DEF","hint":"XYZ"})",
                                        R"({"status":332,"status_text":"My","headers":{"X-Header":"str"}})", ""},
                                       false);
    EXPECT_EQ(error.status, 332);
    EXPECT_EQ(error.code, "123");
    EXPECT_EQ(error.message, "ABC");
    EXPECT_EQ(error.details, "DEF");
    EXPECT_EQ(error.hint, "XYZ");
    EXPECT_EQ(error.headers, (std::vector<std::pair<std::string, std::string>>{{"X-Header", "str"}}));
}

TEST(DatabaseError, pgrst_that_cannot_be_read_is_said) {
    const std::string good = R"({"code":"1","message":"m"})";
    for (const char* message : {"INVALID", "[]", R"({"code":1,"message":"m"})", R"({"code":"1"})",
                                R"({"code":"1","message":null})", R"({"code":"1","message":"m","hint":1})"}) {
        const Error error = database_error({"PGRST", message, R"({"status":400,"headers":{}})", ""}, false);
        EXPECT_EQ(error.code, "PGRST121") << message;
        EXPECT_EQ(error.status, 500);
        EXPECT_EQ(error.details, "Invalid JSON value for MESSAGE: '" + std::string(message) + "'");
    }
    for (const char* detail : {"INVALID", R"({"status":400})", R"({"headers":{}})", R"({"status":"400","headers":{}})",
                               R"({"status":99,"headers":{}})", R"({"status":400,"headers":{"a":1}})",
                               R"({"status":400,"headers":{"a":"b\r\nc: d"}})", R"({"status":400,"headers":{"a b":"c"}})"})
        EXPECT_EQ(database_error({"PGRST", good, detail, ""}, false).details,
                  "Invalid JSON value for DETAIL: '" + std::string(detail) + "'");
    EXPECT_EQ(database_error({"PGRST", good, "", ""}, false).details, "DETAIL is missing in the RAISE statement");
}

TEST(Result, carries_a_value_or_an_error) {
    Result<int> good = 7;
    Result<int> bad = Error::of(Fault::no_column, "no such column");
    ASSERT_TRUE(good);
    EXPECT_EQ(*good, 7);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, "PGRST204");
    EXPECT_EQ(bad.error().status, 400);
}

}  // namespace millrace

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

// In which snapshot an answer was read, and which answers are nobody else's.
#include <gtest/gtest.h>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {
namespace {

using Cells = std::vector<std::string_view>;

sql::Rows row(Cells cells) {
    sql::Rows rows;
    rows.columns = cells.size();
    rows.cells = std::move(cells);
    return rows;
}

Work work_of(std::size_t statements) {
    auto snapshot = std::make_shared<Snapshot>();
    Work work;
    work.snapshot = snapshot;
    work.cache.emplace();
    work.cache->policy.ttl_s = 5;
    work.script.main = statements - 1;
    return work;
}

std::optional<cache::Entry> entry_of(const Work& work, const sql::Results& results, int status = 200) {
    message::Reply reply;
    reply.status = status;
    reply.body = std::string("[]");
    return to_entry(work, results, reply, {900, 900, {}}, WallTime{});
}

TEST(Entry, of_a_call_was_read_in_the_snapshot_before_it) {
    Work work = work_of(2);
    work.script.snapshot = 0;
    const auto entry = entry_of(work, {row({"10:14:11"}), row({"1"})});
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->snapshot.to_string(), "10:14:11");
    EXPECT_FALSE(entry_of(work, {row({"nonsense"}), row({"1"})}));
}

TEST(Entry, of_a_standby_sees_nothing_from_xmin_on_whether_it_has_rows_or_not) {
    Work work = work_of(2);
    work.script.snapshot = 0;
    work.script.on_standby = true;
    for (const sql::Rows& rows : {row({"1"}), sql::Rows{}}) {
        const auto entry = entry_of(work, {row({"726", "77", "1"}), rows});
        ASSERT_TRUE(entry);
        EXPECT_FALSE(entry->snapshot.sees(726));
        EXPECT_TRUE(entry->snapshot.sees(725));
        EXPECT_EQ(entry->snapshot.to_string(), "726:726:");
    }
}

TEST(Entry, of_a_server_that_is_no_standby_is_none) {
    Work work = work_of(2);
    work.script.snapshot = 0;
    work.script.on_standby = true;
    const sql::Results primary{row({std::string_view(), "77", "1"}), row({"1"})};
    EXPECT_FALSE(standby_state(work.script, primary));
    EXPECT_FALSE(entry_of(work, primary));
    const auto state = standby_state(work.script, {row({"726", "77", "3"}), row({"1"})});
    ASSERT_TRUE(state);
    EXPECT_EQ(state->system_identifier, "77");
    EXPECT_EQ(state->timeline, 3U);
    for (const sql::Results& odd : {sql::Results{}, sql::Results{sql::Rows{}}, sql::Results{row({"x", "77", "1"})},
                                    sql::Results{row({"726", "77", std::string_view()})}})
        EXPECT_FALSE(standby_state(work.script, odd));
}

TEST(Entry, is_not_made_of_what_a_function_said_to_one_caller) {
    Work work = work_of(1);
    work.script.outcome = 1;
    const std::string_view null;
    EXPECT_TRUE(entry_of(work, {row({"1"}), row({null, null, null})}));
    EXPECT_FALSE(entry_of(work, {row({"1"}), row({null, R"([{"Set-Cookie":"a=b"}])", null})}));
    EXPECT_FALSE(entry_of(work, {row({"1"}), row({null, null, "200"})}));
}

}  // namespace
}  // namespace millrace::pipeline

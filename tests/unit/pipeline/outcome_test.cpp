#include <gtest/gtest.h>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {
namespace {

// A null cell has no data().
sql::Rows row(std::string_view headers, std::string_view status) {
    sql::Rows rows;
    rows.columns = 3;
    rows.cells = {{}, headers, status};
    return rows;
}

message::Reply reply() {
    message::Reply out;
    out.headers.add("Content-Type", "application/json");
    return out;
}

TEST(Outcome, headers_join_the_reply_and_replace_ours) {
    auto out = reply();
    ASSERT_TRUE(apply_outcome(row(R"([{"content-type":"text/x"},{"Set-Cookie":"a=1"},{"Set-Cookie":"b=2"}])", {}), out));
    EXPECT_EQ(out.headers.lines(), "content-type: text/x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n");
    EXPECT_EQ(out.status, 200);
}

TEST(Outcome, what_frames_the_message_stays_ours) {
    auto out = reply();
    ASSERT_TRUE(
        apply_outcome(row(R"([{"Content-Length":"5"},{"transfer-encoding":"chunked"},{"Connection":"close"}])", {}), out));
    EXPECT_EQ(out.headers.lines(), "Content-Type: application/json\r\n");
}

TEST(Outcome, a_status_is_taken_when_it_is_one) {
    auto out = reply();
    ASSERT_TRUE(apply_outcome(row({}, "418"), out));
    EXPECT_EQ(out.status, 418);
    for (const char* bad : {"abc", "100", "600", "99999999999999999999"}) {
        const auto applied = apply_outcome(row({}, bad), out);
        ASSERT_FALSE(applied) << bad;
        EXPECT_EQ(applied.error().code, "PGRST112");
    }
}

TEST(Outcome, headers_of_another_form_are_refused) {
    for (const char* bad : {"x", "{}", R"({"a":"b"})", R"([{"a":1}])", R"([{"a":"b","c":"d"}])", R"([{"a b":"c"}])",
                            R"([{"":"c"}])", R"([{"a":"b\r\nc: d"}])", "[1]"}) {
        auto out = reply();
        const auto applied = apply_outcome(row(bad, {}), out);
        ASSERT_FALSE(applied) << bad;
        EXPECT_EQ(applied.error().code, "PGRST111");
    }
}

TEST(Outcome, nothing_said_changes_nothing) {
    auto out = reply();
    ASSERT_TRUE(apply_outcome(row({}, {}), out));
    ASSERT_TRUE(apply_outcome(sql::Rows{}, out));
    EXPECT_EQ(out.headers.lines(), "Content-Type: application/json\r\n");
}

}  // namespace
}  // namespace millrace::pipeline

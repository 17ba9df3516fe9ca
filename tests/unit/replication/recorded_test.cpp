// What a real Postgres 15 sent, byte by byte, read back; and every mutilation of it survived.
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "millrace/core/replication.hpp"

namespace millrace::replication {
namespace {

// pg_logical_slot_get_binary_changes of: items (id int primary key, name text, mood enum, big text) and whole (a int, b text)
// with REPLICA IDENTITY FULL. One transaction inserts, updates, changes the key and deletes in items; one inserts, updates,
// deletes in whole and truncates both; one emits a message, and one is emitted outside of a transaction.
constexpr const char* recorded[] = {
    "42000000000150a570000304233cb1ddc7000002da",
    "590000400273686f70006d6f6f6400",
    "520000400573686f70006974656d73006400040169640000000017ffffffff006e616d650000000019ffffffff006d6f6f640000004002ffffffff"
    "006269670000000019ffffffff",
    "49000040054e000474000000013174000000036f6e657400000004676c6164740000000a78787878787878787878",
    "55000040054e00047400000001317400000003756e6f7400000004676c6164740000000a78787878787878787878",
    "55000040054b00047400000001316e6e6e4e00047400000001327400000003756e6f7400000004676c6164740000000a78787878787878787878",
    "44000040054b00047400000001326e6e6e",
    "4300000000000150a570000000000150a5a0000304233cb1ddc7",
    "42000000000150ba38000304233cb5895e000002db",
    "520000400c73686f700077686f6c650066000201610000000017ffffffff01620000000019ffffffff",
    "490000400c4e00027400000001316e",
    "550000400c4f00027400000001316e4e0002740000000131740000000142",
    "440000400c4f0002740000000131740000000142",
    "5400000002000000400c00004005",
    "4300000000000150ba38000000000150bc78000304233cb5895e",
    "42000000000150bcb8000304233cb9b2ee000002dc",
    "4d01000000000150bcb86d696c6c7261636500000000036e3a31",
    "4300000000000150bcb8000000000150bce8000304233cb9b2ee",
    "4d00000000000150bd286f74686572000000000178",
};

std::string bytes_of(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    return bytes;
}

}  // namespace

TEST(RecordedStream, becomes_the_transactions_that_made_it) {
    Assembler assembler;
    std::vector<Transaction> ended;
    std::string emitted;
    for (const char* hex : recorded) {
        const std::string bytes = bytes_of(hex);
        const auto message = read_message(bytes);
        ASSERT_TRUE(message) << hex;
        if (const auto* relation = std::get_if<Relation>(&*message)) {
            Lineage lineage;
            if (relation->name == "items") lineage.primary_key = {"id"};
            EXPECT_TRUE(assembler.learn(*relation, lineage));
            continue;
        }
        if (const auto* said = std::get_if<Emitted>(&*message))
            emitted += std::string(said->prefix) + '=' + std::string(said->content) + ' ';
        ASSERT_TRUE(assembler.take(*message)) << hex;
        if (auto one = assembler.finished()) ended.push_back(*std::move(one));
    }
    ASSERT_EQ(ended.size(), 3U);
    EXPECT_EQ(ended[0].xid, 0x2DAU);
    EXPECT_EQ(ended[0].commit, 0x150A570U);
    EXPECT_EQ(ended[0].end, 0x150A5A0U);
    const std::set<std::string> rows(ended[0].words.begin(), ended[0].words.end());
    const std::string one[] = {"1"}, two[] = {"2"};
    EXPECT_EQ(rows, (std::set{fence::key_tag("shop.items", one), fence::key_tag("shop.items", two)}));
    EXPECT_EQ(ended[1].words, (std::vector<std::string>{"shop.items", "shop.whole"}));
    EXPECT_TRUE(ended[2].words.empty());
    EXPECT_EQ(emitted, "millrace=n:1 other=x ");
}

TEST(RecordedStream, nothing_shorter_or_longer_is_a_message) {
    for (const char* hex : recorded) {
        const std::string bytes = bytes_of(hex);
        const bool counts_its_end = bytes[0] != 'Y';  // of which only the letter matters
        for (std::size_t size = 0; counts_its_end && size < bytes.size(); ++size)
            EXPECT_FALSE(read_message(std::string_view(bytes).substr(0, size))) << hex << " cut to " << size;
        EXPECT_TRUE(!counts_its_end || !read_message(bytes + '\0')) << hex;
    }
}

TEST(RecordedStream, changed_bytes_do_no_harm) {
    std::mt19937 random(15);
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = bytes_of(recorded[random() % std::size(recorded)]);
        for (unsigned i = 0; i <= random() % 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
        Assembler assembler;
        if (const auto message = read_message(bytes)) static_cast<void>(assembler.take(*message));
    }
}

TEST(Frames, are_read_and_answered) {
    const auto bytes = bytes_of("77000000000150a570000000000150a5a0000304233cb1ddc74201");  // which the message looks into
    const auto data = read_frame(bytes);
    ASSERT_TRUE(data);
    EXPECT_EQ(std::get<LogData>(*data).start, 0x150A570U);
    EXPECT_EQ(std::get<LogData>(*data).message, std::string_view("B\x01"));
    const auto alive = read_frame(bytes_of("6b000000000150a5a0000304233cb1ddc701"));
    ASSERT_TRUE(alive);
    EXPECT_TRUE(std::get<Keepalive>(*alive).wants_reply);
    for (const char* hex : {"", "77", "6b000000000150a5a0000304233cb1ddc7", "6b000000000150a5a0000304233cb1ddc70101", "78"})
        EXPECT_FALSE(read_frame(bytes_of(hex))) << hex;
    const std::string position("\0\0\0\0\x01\x50\xA5\xA0", 8);
    EXPECT_EQ(status_update(0x150A5A0), "r" + position + position + position + std::string(9, '\0'));
}

TEST(Lsn, is_two_numbers) {
    EXPECT_EQ(parse_lsn("16/B374D848"), 0x16B374D848U);
    EXPECT_EQ(parse_lsn("0/0"), 0U);
    for (const char* wrong : {"", "/", "1", "1/", "/1", "1/2/3", "1/123456789", "x/1", " 1/1"})
        EXPECT_FALSE(parse_lsn(wrong)) << wrong;
}

}  // namespace millrace::replication

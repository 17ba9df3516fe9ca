// Decoding on a real Postgres: what is published, what comes out of the slot and when, and that a place that was not confirmed
// is come back to.
#include <gtest/gtest.h>

#include <algorithm>
#include <millrace/io/net.hpp>
#include <millrace/io/pg.hpp>
#include <running.hpp>
#include <servers.hpp>
#include <set>

namespace millrace::pg {
namespace {

using namespace std::chrono_literals;

support::Postgres& logical_postgres() {
    static support::Postgres postgres({"wal_level=logical", "max_prepared_transactions=2"});
    return postgres;
}

constexpr const char* world = R"sql(
create schema shop;
create table shop.orders (id int primary key, note text);
create table shop.lines (id int primary key, order_id int references shop.orders on delete cascade);
create table shop.keyless (a int);
create table shop.full_rows (a int);
alter table shop.full_rows replica identity full;
create collation shop.loose_text (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table shop.texts (name text collate shop.loose_text primary key);
create unlogged table shop.fleeting (id int primary key);
create table shop.events (id int, at int, primary key (id, at)) partition by range (at);
create table shop.events_1 partition of shop.events for values from (0) to (10);
create table shop.loose (at int) partition by range (at);
create table shop.loose_1 partition of shop.loose for values from (0) to (10);
)sql";

struct DecodingTest : testing::Test {
    void SetUp() override {
        support::Postgres& postgres = logical_postgres();
        postgres.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots");
        url = postgres.create_database("decoding");
        execute(world);
        publish();
        settings = {url, "millrace", 50ms, false};
    }
    void TearDown() override {
        reader.reset();
        if (context.stopped()) context.restart();
        context.poll();
    }

    std::string execute(const std::string& sql) const { return logical_postgres().execute(sql, "decoding"); }
    [[nodiscard]] std::shared_ptr<const catalog::Catalog> catalog() const {
        return introspect(url, {"shop"}, "", {}, {}, WatchedBy::publication).value();
    }
    void publish() const {
        const auto done = pg::execute(url, publication_sql(*catalog()));
        ASSERT_TRUE(done) << done.error().message;
    }
    Result<SlotStart> open() {
        reader = std::make_unique<SlotReader>(context, settings);
        return support::run_until(context, reader->open());
    }
    // The words of everything that has come until `wanted` is among them.
    std::multiset<std::string> words_until(const std::string& wanted) {
        std::multiset<std::string> words;
        const TimePoint end = net::now() + 20s;
        while (words.count(wanted) == 0 && net::now() < end) {
            const auto came = support::run_until(context, reader->next());
            if (!came) break;
            for (const auto& [transaction, xid] : came->transactions) {
                words.insert(transaction.words.begin(), transaction.words.end());
                xids.push_back(xid);
            }
            position = came->position;
        }
        EXPECT_EQ(words.count(wanted), 1U) << wanted;
        return words;
    }
    static std::string row(const char* table, const std::string& id) { return fence::key_tag(table, std::vector{id}); }

    std::string url;
    SlotSettings settings;
    asio::io_context context{1};
    std::unique_ptr<SlotReader> reader;
    std::vector<fence::Xid> xids;
    replication::Lsn position = 0;
};

}  // namespace

TEST_F(DecodingTest, what_can_be_told_apart_is_published_and_the_rest_can_still_be_written) {
    const auto known = catalog();
    for (const char* name : {"orders", "lines", "full_rows", "events", "events_1"})
        EXPECT_TRUE(known->find("shop", name)->watched) << name;
    for (const char* name : {"keyless", "fleeting", "loose", "loose_1"})
        EXPECT_FALSE(known->find("shop", name)->watched) << name;
    execute("insert into shop.keyless values (1); update shop.keyless set a = 2; delete from shop.keyless");
    execute("insert into shop.loose values (1); update shop.loose set at = 2");
    execute("create table shop.events_2 partition of shop.events for values from (10) to (20)");
    EXPECT_TRUE(catalog()->find("shop", "events_2")->watched) << "it came with its parent";
}

TEST_F(DecodingTest, rows_are_told_where_a_key_has_one_spelling) {
    const auto known = catalog();
    for (const char* name : {"orders", "events", "events_1"}) EXPECT_TRUE(known->find("shop", name)->told_by_key) << name;
    for (const char* name : {"full_rows", "keyless", "texts"}) EXPECT_FALSE(known->find("shop", name)->told_by_key) << name;
}

TEST_F(DecodingTest, publishing_again_follows_the_tables) {
    execute("alter table shop.keyless add primary key (a); alter table shop.full_rows replica identity default");
    publish();
    EXPECT_TRUE(catalog()->find("shop", "keyless")->watched);
    EXPECT_FALSE(catalog()->find("shop", "full_rows")->watched);
    EXPECT_TRUE(pg::execute(url, publication_removal_sql()));
    EXPECT_FALSE(catalog()->find("shop", "orders")->watched);
}

TEST_F(DecodingTest, every_kind_of_write_comes_with_its_xid) {
    ASSERT_TRUE(open());
    const std::string xid =
        execute("with w as (insert into shop.orders values (1) returning 1) select pg_current_xact_id() from w");
    execute("insert into shop.lines values (5, 1)");
    execute("delete from shop.orders where id = 1");
    execute("insert into shop.events_1 values (3, 4); copy shop.full_rows from program 'echo 9'");
    execute("begin; insert into shop.orders values (8); rollback");
    execute(
        "begin; insert into shop.orders values (9); savepoint s; insert into shop.orders values (10); rollback to s; commit");
    execute("begin; insert into shop.orders values (11); prepare transaction 'p'");
    execute("commit prepared 'p'");
    execute("truncate shop.lines");
    const auto words = words_until("shop.lines");
    for (const auto& wanted : {row("shop.orders", "1"), row("shop.lines", "5"), row("shop.orders", "9"),
                               row("shop.orders", "11"), std::string("shop.full_rows")})
        EXPECT_GE(words.count(wanted), 1U) << wanted;
    EXPECT_EQ(words.count(row("shop.orders", "1")), 2U);
    EXPECT_EQ(words.count(row("shop.lines", "5")), 2U) << "the cascade";
    const std::vector<std::string> key = {"3", "4"};
    EXPECT_EQ(words.count(fence::key_tag("shop.events", key)), 1U) << "the partition's parent";
    EXPECT_EQ(words.count(fence::key_tag("shop.events_1", key)), 1U);
    for (const char* undone : {"8", "10"}) EXPECT_EQ(words.count(row("shop.orders", undone)), 0U) << undone;
    EXPECT_EQ(std::to_string(xids.front()), xid);
}

TEST_F(DecodingTest, a_beat_comes_after_all_that_its_snapshot_sees) {
    ASSERT_TRUE(open());
    auto beating = [](SlotReader& of) -> asio::awaitable<void> { co_await of.beat(); };
    bool over = false;
    asio::co_spawn(context, beating(*reader), [&](std::exception_ptr) { over = true; });
    int beats = 0;
    for (int round = 0; round < 40 || beats < 5; ++round) {
        execute("insert into shop.orders values (" + std::to_string(100 + round) + ")");
        const auto came = support::run_until(context, reader->next());
        ASSERT_TRUE(came);
        for (const auto& [transaction, xid] : came->transactions) xids.push_back(xid);
        if (!came->beat) continue;
        ++beats;
        const auto all =
            std::stoul(execute("select count(*) from shop.orders where pg_visible_in_snapshot(xmin::text::xid8, '" +
                               came->beat->first.to_string() + "')"));
        const auto heard =
            static_cast<std::size_t>(std::ranges::count_if(xids, [&](fence::Xid xid) { return came->beat->first.sees(xid); }));
        EXPECT_EQ(heard, all);
        EXPECT_LT(came->beat->second, 20s);
    }
}

TEST_F(DecodingTest, what_was_not_confirmed_comes_again_and_what_was_does_not) {
    ASSERT_TRUE(open());
    execute("insert into shop.orders values (1)");
    words_until(row("shop.orders", "1"));
    const auto confirmed = position;
    ASSERT_TRUE(support::run_until(context, reader->confirm(confirmed)));
    execute("insert into shop.orders values (2)");
    words_until(row("shop.orders", "2"));
    reader.reset();
    ASSERT_TRUE(support::run_while_not(
        context, [&] { return execute("select active from pg_replication_slots") == "f"; }, 20s));
    const auto again = open();
    ASSERT_TRUE(again);
    EXPECT_GE(again->from, confirmed);
    const auto words = words_until(row("shop.orders", "2"));
    EXPECT_EQ(words.count(row("shop.orders", "1")), 0U);
}

TEST_F(DecodingTest, a_slot_has_one_reader_unless_the_other_may_be_cut_off) {
    ASSERT_TRUE(open());
    SlotReader polite(context, settings);
    EXPECT_FALSE(support::run_until(context, polite.open()));
    SlotSettings entitled = settings;
    entitled.may_evict = true;
    ASSERT_TRUE(support::run_while_not(
        context,
        [&] {
            SlotReader next(context, entitled);
            return support::run_until(context, next.open()).has_value();
        },
        20s));
}

TEST_F(DecodingTest, a_slot_of_another_use_is_left_alone) {
    execute("select pg_create_physical_replication_slot('millrace')");
    const auto refused = open();
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().details.value_or("").find("for another use"), std::string::npos);
    EXPECT_FALSE(ensure_slot(url, "millrace"));
    EXPECT_TRUE(drop_slot(url, "millrace"));
    EXPECT_TRUE(ensure_slot(url, "millrace"));
    EXPECT_TRUE(ensure_slot(url, "millrace")) << "it is there already";
    EXPECT_EQ(execute("select string_agg(slot_name, ' ') from pg_replication_slots"), "millrace");
}

TEST_F(DecodingTest, a_role_that_may_not_replicate_is_told_so) {
    execute("do $$ begin if to_regrole('plain') is null then create role plain login; end if; end $$");
    settings.url.replace(settings.url.find("postgres@"), 8, "plain");
    const auto refused = open();
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().details.value_or("").find("replication"), std::string::npos) << *refused.error().details;
}

}  // namespace millrace::pg

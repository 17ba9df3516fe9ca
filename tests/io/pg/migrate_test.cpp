// The invalidation triggers on a real database: each kind of write tells its tables, once, when it commits.
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <millrace/core/fence.hpp>
#include <millrace/io/pg.hpp>
#include <servers.hpp>
#include <stdexcept>

namespace millrace::pg {
namespace {

using Names = std::vector<std::string>;

// A connection that hears notifications; what was committed before drain() was called is in its answer.
class Ear {
public:
    explicit Ear(const std::string& url) : connection_(PQconnectdb(url.c_str()), PQfinish) {
        run("set client_min_messages = warning; listen millrace_invalidation");
    }

    void run(const std::string& sql) {
        std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), sql.c_str()), PQclear);
        const auto status = PQresultStatus(result.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
            throw std::runtime_error(PQerrorMessage(connection_.get()));
    }
    std::string value(const std::string& sql) {
        std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), sql.c_str()), PQclear);
        if (PQntuples(result.get()) != 1) throw std::runtime_error(PQerrorMessage(connection_.get()));
        return PQgetvalue(result.get(), 0, 0);
    }
    void copy(const std::string& sql, const std::string& rows) {
        run(sql);
        PQputCopyData(connection_.get(), rows.data(), static_cast<int>(rows.size()));
        PQputCopyEnd(connection_.get(), nullptr);
        while (PGresult* result = PQgetResult(connection_.get())) PQclear(result);
    }
    // The tags of each notification, in order. A backend hands over what was committed before a statement of its own ends.
    Names drain() {
        run("select 1");
        PQconsumeInput(connection_.get());
        Names tags;
        while (PGnotify* heard = PQnotifies(connection_.get())) {
            const std::string payload = heard->extra;
            PQfreemem(heard);
            const auto space = payload.find(' ');
            EXPECT_GT(std::stoull(payload.substr(0, space)), 0U);
            tags.push_back(payload.substr(space + 1));
        }
        return tags;
    }

private:
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

constexpr const char* world = R"sql(
create schema shop; create schema inside;
create table shop.orders (id int primary key, note text);
create table shop.lines (id int primary key, order_id int references shop.orders on delete cascade);
create table inside.people (id int primary key, name text);
create view shop.clients as select id, name from inside.people;
create table inside.unrelated (id int);
create table shop.events (id int, at int not null) partition by range (at);
create table shop.events_1 partition of shop.events for values from (0) to (10) partition by range (at);
create table inside.events_1_1 partition of shop.events_1 for values from (0) to (5);
create table shop.parent (id int);
create table shop.child (extra int) inherits (shop.parent);
create table shop."od'd ""na.me%$millrace$ö" (id int);
create type shop.mood as enum ('good', 'bad');
create collation shop.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table shop.texts (name text primary key, other text);
create table shop.uuids (id uuid, yes bool, primary key (id, yes));
create table shop.days (day date, n bigint, mood shop.mood, primary key (day, n, mood));
create table shop.odd_keys (name text collate shop.loose primary key);
create table shop.visits (id int, at int, primary key (id, at)) partition by range (at);
create table inside.visits_1 (at int not null, id int not null, primary key (id, at));
alter table shop.visits attach partition inside.visits_1 for values from (0) to (10);
)sql";

struct Migration : testing::Test {
    void SetUp() override {
        support::Postgres& postgres = support::shared_postgres();
        url = postgres.create_database("migration");
        postgres.execute(world, "migration");
        apply();
        ear = std::make_unique<Ear>(url);
    }
    void apply() const {
        const auto done = execute(url, migration_sql(*catalog(), {"shop"}));
        ASSERT_TRUE(done) << done.error().message;
    }
    [[nodiscard]] std::shared_ptr<const catalog::Catalog> catalog() const { return introspect(url, {"shop"}, "").value(); }
    [[nodiscard]] std::string triggers() const {
        return support::shared_postgres().execute(
            "select string_agg(oid::text, ' ' order by oid) from pg_trigger where tgname like 'millrace%'", "migration");
    }
    Names after(const std::string& sql) {
        ear->run(sql);
        return ear->drain();
    }
    static std::string key(const std::string& table, const Names& texts) { return fence::key_tag(table, texts); }
    static std::string order(int id) { return key("shop.orders", {std::to_string(id)}); }
    static std::string order(int id, int other) { return sorted_text({order(id), order(other)}); }
    static Names sorted(Names names) {
        std::ranges::sort(names);
        return names;
    }
    static std::string sorted_text(const Names& names) {
        std::string out;
        for (const std::string& name : sorted(names)) out += (out.empty() ? "" : " ") + name;
        return out;
    }
    static Names words(const std::string& text) {
        Names words;
        for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 1) {
            end = text.find(' ', at);
            words.push_back(text.substr(at, end - at));
        }
        return sorted(words);
    }

    std::string url;
    std::unique_ptr<Ear> ear;
};

}  // namespace

TEST_F(Migration, each_write_tells_its_rows) {
    const std::string one = order(1), both = order(1, 2);
    struct Case {
        const char* sql;
        Names tags;
    };
    const Case cases[] = {
        {"insert into shop.orders values (1, 'a'), (2, 'b')", {both}},
        {"insert into shop.orders values (2, 'x') on conflict (id) do update set note = 'y'", {order(2)}},
        {"insert into shop.orders values (2, 'x') on conflict do nothing", {}},
        {"update shop.orders set note = 'z' where id = 1", {one}},
        {"update shop.orders set note = 'z' where id = 99", {}},
        {"delete from shop.orders where id = 99", {}},
        {"update shop.orders set id = 3 where id = 2", {order(2, 3)}},
        {"update shop.orders set id = 2 where id = 3", {order(2, 3)}},
        {"insert into shop.lines values (1, 1)", {key("shop.lines", {"1"})}},
        {"with gone as (delete from shop.orders where id = 2 returning 1) select * from gone", {order(2)}},
        {"merge into shop.orders o using (values (1), (2)) as v(id) on v.id = o.id when matched then update set note = 'm' "
         "when not matched then insert values (v.id, 'm')",
         {one, order(2)}},
        {"insert into shop.clients values (1, 'through a view')", {key("inside.people", {"1"})}},
        {"insert into inside.unrelated values (1)", {}},
        {"begin; insert into shop.orders values (5); update shop.orders set note = '' where id = 5; "
         "delete from shop.orders where id = 5; commit",
         {order(5)}},
        {"begin; insert into shop.orders values (6); rollback", {}},
        {"begin; savepoint s; insert into shop.orders values (7); rollback to s; commit", {}},
        {"truncate shop.lines", {"shop.lines"}},
        {"insert into shop.\"od'd \"\"na.me%$millrace$ö\" values (1)", {"shop.od'd%20\"na%2Eme%25$millrace$ö"}},
    };
    for (const Case& c : cases) EXPECT_EQ(sorted(after(c.sql)), sorted(c.tags)) << c.sql;
}

TEST_F(Migration, up_to_64_rows_are_told_one_by_one) {
    const Names some = after("insert into shop.orders select generate_series(1, 64)");
    ASSERT_EQ(some.size(), 1U);
    EXPECT_EQ(words(some[0]).size(), 64U);
    EXPECT_EQ(words(after("update shop.orders set id = id + 1000")[0]).size(), 128U) << "old and new";
    EXPECT_EQ(after("insert into shop.orders select generate_series(1, 65)"), (Names{"shop.orders"}));
    EXPECT_EQ(after("update shop.orders set note = 'x' where id <= 65"), (Names{"shop.orders"}));
    EXPECT_EQ(after("delete from shop.orders"), (Names{"shop.orders"}));
}

TEST_F(Migration, keys_of_each_type_are_hashed_as_the_planner_does) {
    struct Case {
        const char *table, *values;
        Names key;
    };
    for (const Case& c :
         {Case{"texts", "'it''s ä, b', 'y'", {"it's ä, b"}},
          Case{"uuids", "'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11', false", {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "false"}},
          Case{"days", "'26.11.2026', -7, 'bad'", {"00002662", "-7", "bad"}}}) {
        const std::string table = std::string("shop.") + c.table;
        EXPECT_TRUE(catalog()->find("shop", c.table)->told_by_key) << c.table;
        EXPECT_EQ(after("set datestyle = 'German'; insert into " + table + " values (" + c.values + ")"),
                  (Names{fence::key_tag(table, c.key)}));
    }
    EXPECT_EQ(after("insert into shop.odd_keys values ('A')"), (Names{"shop.odd_keys"})) << "equal although spelled otherwise";
    EXPECT_FALSE(catalog()->find("shop", "odd_keys")->told_by_key);
    EXPECT_EQ(after("insert into shop.days values ('infinity', 1, 'good'), ('4713-01-01 BC', 1, 'good')").size(), 1U);
}

TEST_F(Migration, who_writes_can_ask_what_was_told_until_the_end) {
    ear->run("begin; insert into shop.orders values (1); insert into shop.lines values (1, 1)");
    EXPECT_EQ(ear->value("select current_setting('millrace.invalidated')"), " " + order(1) + " " + key("shop.lines", {"1"}));
    ear->run("savepoint s; delete from shop.lines; rollback to s; update shop.orders set note = 'again'");
    EXPECT_EQ(ear->value("select current_setting('millrace.invalidated')"), " " + order(1) + " " + key("shop.lines", {"1"}));
    ear->run("do $$ begin for i in 1000..2000 loop insert into shop.orders values (i); end loop; end $$");
    const std::string told = ear->value("select current_setting('millrace.invalidated')");
    EXPECT_LE(told.size(), 7'800U);
    const auto all = fence::parse_invalidation("1" + told);
    ASSERT_TRUE(all);
    EXPECT_TRUE(std::ranges::binary_search(all->tags, "shop.orders#*")) << "too many to keep one by one";
    ear->run("commit");
    EXPECT_EQ(ear->value("select coalesce(current_setting('millrace.invalidated', true), '')"), "");
}

TEST_F(Migration, cascades_and_copy_are_told) {
    after("insert into shop.orders values (1); insert into shop.lines values (1, 1), (2, 1)");
    EXPECT_EQ(sorted(after("delete from shop.orders where id = 1")),
              sorted({order(1), sorted_text({key("shop.lines", {"1"}), key("shop.lines", {"2"})})}));
    ear->copy("copy shop.orders (id) from stdin", "10\n11\n");
    EXPECT_EQ(ear->drain(), (Names{order(10, 11)}));
    EXPECT_EQ(sorted(after("truncate shop.orders cascade")), (Names{"shop.lines", "shop.orders"}));
}

TEST_F(Migration, partitions_and_children_tell_their_parents_too) {
    const auto told = [&](const std::string& sql) {
        const Names tags = after(sql);
        return tags.size() == 1 ? words(tags[0]) : Names{};
    };
    EXPECT_EQ(told("insert into shop.events values (1, 1)"), (Names{"shop.events"}));
    EXPECT_EQ(told("insert into shop.events_1 values (2, 2)"), (Names{"shop.events", "shop.events_1"}));
    EXPECT_EQ(told("insert into inside.events_1_1 values (3, 3)"),
              (Names{"inside.events_1_1", "shop.events", "shop.events_1"}));
    EXPECT_EQ(told("update shop.events set id = 4"), (Names{"shop.events"}));
    EXPECT_EQ(told("insert into shop.child values (1, 1)"), (Names{"shop.child", "shop.parent"}));
    EXPECT_EQ(told("update shop.parent set id = 2"), (Names{"shop.parent"})) << "a row of the child";
    const Names row = sorted({key("shop.visits", {"7", "1"}), key("inside.visits_1", {"7", "1"})});
    EXPECT_EQ(told("insert into inside.visits_1 values (1, 7)"), row) << "its columns stand in another order";
    EXPECT_EQ(told("insert into shop.visits values (8, 2)"), (Names{key("shop.visits", {"8", "2"})}));
}

TEST_F(Migration, what_is_made_or_attached_later_is_watched_at_once) {
    after("create table shop.later (id int primary key)");
    EXPECT_EQ(after("insert into shop.later values (1)"), (Names{key("shop.later", {"1"})}));
    after("create table shop.visits_2 partition of shop.visits for values from (10) to (20)");
    EXPECT_EQ(words(after("insert into shop.visits_2 values (1, 10)")[0]).size(), 2U);
    after("create table inside.loose (id int not null, at int not null, primary key (id, at))");
    EXPECT_EQ(after("insert into inside.loose values (1, 25)"), Names{}) << "no schema of ours, no part of anything of ours";
    after("alter table shop.visits attach partition inside.loose for values from (20) to (30)");
    EXPECT_EQ(words(after("insert into inside.loose values (2, 26)")[0]).size(), 2U);
    EXPECT_TRUE(catalog()->find("shop", "visits")->watched);
}

TEST_F(Migration, ddl_grants_and_policies_are_told_in_their_transaction) {
    for (const char* sql :
         {"alter table shop.orders add extra int", "create index on shop.orders (note)",
          "grant select on shop.orders to public", "alter default privileges grant select on tables to public",
          "create policy p on shop.orders using (true)", "drop policy p on shop.orders",
          "create or replace view shop.clients as select id, name from inside.people where id > 0",
          "create function shop.f() returns int language sql as 'select 1'", "drop function shop.f()"})
        EXPECT_EQ(after(sql), (Names{"!*"})) << sql;
    EXPECT_EQ(after("begin; create table shop.never (id int); rollback"), Names{});
    EXPECT_EQ(after("create temp table mine (id int); insert into mine values (1); drop table mine"), Names{});
}

TEST_F(Migration, a_refresh_is_told_as_a_change_of_the_view) {
    after(
        "create materialized view shop.counted as select count(*) as n, 1 as id from shop.orders; "
        "create unique index on shop.counted (id)");
    EXPECT_EQ(after("refresh materialized view shop.counted"), (Names{"shop.counted"}));
    EXPECT_EQ(after("refresh materialized view concurrently shop.counted"), (Names{"shop.counted"}));
    ear->run("alter event trigger millrace_ddl_command_end disable");
    EXPECT_EQ(after("select millrace.refresh('shop.counted')"), (Names{"shop.counted"}));
    EXPECT_EQ(after("select millrace.refresh('shop.counted', true)"), (Names{"shop.counted"}));
    ear->run("alter event trigger millrace_ddl_command_end enable always");
}

TEST_F(Migration, what_no_event_tells_is_seen_by_looking) {
    const auto known = read_state(url).value();
    EXPECT_FALSE(catalog::difference(known, read_state(url).value(), false).anything);
    ear->run("insert into shop.orders values (1); truncate shop.lines; analyze shop.orders; create temp table mine (id int)");
    EXPECT_FALSE(catalog::difference(known, read_state(url).value(), false).anything) << "data is not the schema";
    for (const char* sql : {"create role looked_at", "grant looked_at to postgres", "revoke looked_at from postgres",
                            "alter role looked_at set timezone = 'UTC'", "drop role looked_at"}) {
        const auto before = read_state(url).value();
        ear->run(sql);
        EXPECT_TRUE(catalog::difference(before, read_state(url).value(), true).anything) << sql;
    }
    for (const char* sql : {"alter table shop.orders add extra int", "alter table shop.orders rename extra to other",
                            "grant select (note) on shop.orders to public", "create policy p on shop.orders using (true)",
                            "alter table shop.orders enable row level security", "alter table shop.orders drop other",
                            "create or replace view shop.clients as select id, name from inside.people where id > 1",
                            "create function shop.f() returns int language sql as 'select 1'",
                            "create or replace function shop.f() returns int language sql as 'select 2'"}) {
        const auto before = read_state(url).value();
        ear->run(sql);
        EXPECT_TRUE(catalog::difference(before, read_state(url).value(), false).anything) << sql;
    }
    ear->run("create materialized view shop.counted as select count(*) as n from shop.orders");
    const auto fresh = read_state(url).value();
    ear->run("refresh materialized view shop.counted");
    EXPECT_EQ(catalog::difference(fresh, read_state(url).value(), false).refreshed, (Names{"shop.counted"}));
}

TEST_F(Migration, a_write_does_not_fail_when_the_table_is_no_longer_what_the_trigger_was_made_for) {
    ear->run("alter event trigger millrace_ddl_command_end disable");
    ear->run("alter table shop.orders rename id to number");
    EXPECT_EQ(after("insert into shop.orders values (1)"), (Names{"shop.orders"})) << "which row is not known any more";
    EXPECT_FALSE(catalog()->find("shop", "orders")->told_by_key);
    ear->run("alter table shop.orders rename to renamed");
    EXPECT_EQ(after("insert into shop.renamed values (2)"), (Names{"shop.renamed"}));
    ear->run("alter table shop.renamed rename to orders; alter table shop.orders rename number to id");
    ear->run(
        "update shop.orders set note = id; alter table shop.orders drop constraint orders_pkey cascade; alter table "
        "shop.orders add primary key (note)");
    EXPECT_FALSE(catalog()->find("shop", "orders")->told_by_key) << "another key than the triggers hash";
    apply();
    EXPECT_TRUE(catalog()->find("shop", "orders")->told_by_key);
    ear->run("alter event trigger millrace_ddl_command_end enable always");
}

TEST_F(Migration, a_purge_is_an_invalidation_for_those_who_may) {
    EXPECT_EQ(after("select millrace.purge('{@v1,!@v1/orders,shop.orders,*}')"), (Names{"@v1 !@v1/orders shop.orders *"}));
    EXPECT_EQ(after("select millrace.purge(array(select 'shop.t' || i from generate_series(1, 1000) i))").size(), 2U)
        << "as many as are needed";
    for (const char* bad : {"{\"a b\"}", "{null}", "{!}", "{a#b}", "{\"\"}"})
        EXPECT_THROW(ear->run(std::string("select millrace.purge('") + bad + "')"), std::runtime_error) << bad;
    ear->run(
        "do $$ begin if not exists (select from pg_roles where rolname = 'writer') then create role writer; end if; end $$");
    ear->run("set role writer");
    EXPECT_THROW(ear->run("select millrace.purge('{*}')"), std::runtime_error);
    ear->run(
        "reset role; grant usage on schema millrace to writer; grant execute on function millrace.purge(text[]) to writer");
    ear->drain();
    ear->run("set role writer");
    EXPECT_EQ(after("select millrace.purge('{*}')"), (Names{"*"}));
    ear->run(
        "reset role; revoke all on schema millrace from writer; revoke all on function millrace.purge(text[]) from writer");
}

TEST_F(Migration, tags_are_those_of_the_catalog) {
    const auto known = catalog();
    const std::string name = "od'd \"na.me%$millrace$ö";
    const auto* odd = known->find("shop", name);
    ASSERT_NE(odd, nullptr);
    EXPECT_EQ(after("insert into shop.\"od'd \"\"na.me%$millrace$ö\" values (1)"), odd->base_tables);
}

TEST_F(Migration, writers_need_no_privilege_on_the_schema) {
    ear->run(
        "do $$ begin if not exists (select from pg_roles where rolname = 'writer') then create role writer; end if; end $$");
    ear->run("grant usage on schema shop to writer; grant insert on shop.orders, shop.events_1 to writer");
    ear->run("create schema trap; create function trap.pg_notify(text, text) returns void language sql as $$select$$");
    ear->drain();
    ear->run("set search_path = trap, pg_catalog; set role writer");
    EXPECT_EQ(after("insert into shop.orders values (60)"), (Names{order(60)}));
    EXPECT_EQ(after("insert into shop.events_1 values (4, 4)").size(), 1U);
    ear->run(
        "reset role; reset search_path; revoke all on schema shop from writer; revoke all on shop.orders, shop.events_1 from "
        "writer");
}

TEST_F(Migration, triggers_fire_for_replicated_sessions_too) {
    ear->run("set session_replication_role = 'replica'");
    EXPECT_EQ(after("insert into shop.orders values (70)"), (Names{order(70)}));
}

TEST_F(Migration, a_second_run_changes_nothing_and_waits_for_nobody) {
    const std::string before = triggers();
    ASSERT_FALSE(before.empty());
    Ear writer(url);
    writer.run("begin; insert into shop.orders values (80)");  // holds a lock that CREATE TRIGGER would wait for
    apply();
    EXPECT_EQ(triggers(), before);
    writer.run("rollback");
}

TEST_F(Migration, a_disabled_or_missing_trigger_is_mended) {
    ear->run("alter event trigger millrace_ddl_command_end disable; alter event trigger millrace_sql_drop disable");
    ear->run("alter table shop.orders disable trigger millrace_insert; drop trigger millrace_truncate on shop.lines");
    EXPECT_EQ(after("insert into shop.orders values (90)"), Names{});
    EXPECT_FALSE(catalog()->find("shop", "orders")->watched);
    EXPECT_FALSE(catalog()->find("shop", "lines")->watched);
    apply();
    EXPECT_TRUE(catalog()->find("shop", "orders")->watched);
    EXPECT_TRUE(catalog()->find("shop", "lines")->watched);
    ear->drain();
    EXPECT_EQ(after("insert into shop.orders values (91)"), (Names{order(91)}));
}

TEST_F(Migration, watched_relations_are_known) {
    const auto known = catalog();
    for (const auto& relation : known->relations) EXPECT_TRUE(relation.watched) << relation.id();
}

TEST_F(Migration, removal_takes_everything_away) {
    for (int i = 0; i < 2; ++i) {  // also when there is nothing
        const auto done = execute(url, migration_removal_sql());
        ASSERT_TRUE(done) << done.error().message;
        EXPECT_EQ(triggers(), "");
        EXPECT_EQ(
            support::shared_postgres().execute("select count(*) from pg_namespace where nspname = 'millrace'", "migration"),
            "0");
    }
    ear->drain();
    EXPECT_EQ(after("insert into shop.orders values (95)"), Names{});
    apply();
    EXPECT_EQ(ear->drain(), (Names{"!*"})) << "what was made without triggers may have tags that nobody sends";
    EXPECT_EQ(after("insert into shop.orders values (96)"), (Names{order(96)}));
}

TEST_F(Migration, any_owner_of_the_tables_can_run_it) {
    support::Postgres& postgres = support::shared_postgres();
    postgres.execute("drop database if exists owned");
    postgres.execute("drop role if exists owner_of_tables; create role owner_of_tables login");
    const std::string admin = postgres.create_database("owned");
    postgres.execute("alter database owned owner to owner_of_tables", "owned");
    std::string theirs = admin;
    theirs.replace(theirs.find("postgres@"), 8, "owner_of_tables");
    ASSERT_TRUE(execute(theirs, "create schema shop; create table shop.orders (id int)"));
    const auto done = execute(theirs, migration_sql(*introspect(theirs, {"shop"}, "").value(), {"shop"}));
    EXPECT_TRUE(done) << done.error().message;
    EXPECT_TRUE(execute(theirs, migration_removal_sql()));
}

TEST_F(Migration, a_script_that_fails_changes_nothing) {
    const auto done = execute(url, "create table shop.half (id int); select * from nowhere");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().fault, Fault::database_error);
    EXPECT_EQ(done.error().code, "42P01");
    EXPECT_EQ(done.error().message, "relation \"nowhere\" does not exist");
    EXPECT_EQ(catalog()->find("shop", "half"), nullptr);
}

}  // namespace millrace::pg

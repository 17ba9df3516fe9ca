// The invalidation triggers on a real database: each kind of write tells its tables, once, when it commits.
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <algorithm>
#include <memory>
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
        const auto done = execute(url, migration_sql(*catalog()));
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

    std::string url;
    std::unique_ptr<Ear> ear;
};

}  // namespace

TEST_F(Migration, each_write_tells_its_table) {
    struct Case {
        const char* sql;
        Names tags;
    };
    const Case cases[] = {
        {"insert into shop.orders values (1, 'a'), (2, 'b')", {"shop.orders"}},
        {"insert into shop.orders values (2, 'x') on conflict (id) do update set note = 'y'", {"shop.orders"}},
        {"insert into shop.orders values (2, 'x') on conflict do nothing", {}},
        {"update shop.orders set note = 'z' where id = 1", {"shop.orders"}},
        {"update shop.orders set note = 'z' where id = 99", {}},
        {"delete from shop.orders where id = 99", {}},
        {"insert into shop.lines values (1, 1)", {"shop.lines"}},
        {"with gone as (delete from shop.orders where id = 2 returning 1) select * from gone", {"shop.orders"}},
        {"insert into shop.clients values (1, 'through a view')", {"inside.people"}},
        {"insert into inside.unrelated values (1)", {}},
        {"begin; insert into shop.orders values (5); update shop.orders set note = ''; delete from shop.orders where id = 5; "
         "commit",
         {"shop.orders"}},
        {"begin; insert into shop.orders values (6); rollback", {}},
        {"begin; savepoint s; insert into shop.orders values (7); rollback to s; commit", {}},
        {"truncate shop.lines", {"shop.lines"}},
        {"insert into shop.\"od'd \"\"na.me%$millrace$ö\" values (1)", {"shop.od'd%20\"na%2Eme%25$millrace$ö"}},
    };
    for (const Case& c : cases) EXPECT_EQ(after(c.sql), c.tags) << c.sql;
}

TEST_F(Migration, cascades_and_copy_are_told) {
    EXPECT_EQ(after("insert into shop.orders values (1)"), (Names{"shop.orders"}));
    EXPECT_EQ(after("insert into shop.lines values (1, 1)"), (Names{"shop.lines"}));
    Names both = after("delete from shop.orders where id = 1");
    std::ranges::sort(both);
    EXPECT_EQ(both, (Names{"shop.lines", "shop.orders"}));
    ear->copy("copy shop.orders (id) from stdin", "10\n11\n");
    EXPECT_EQ(ear->drain(), (Names{"shop.orders"}));
    Names truncated = after("truncate shop.orders cascade");
    std::ranges::sort(truncated);
    EXPECT_EQ(truncated, (Names{"shop.lines", "shop.orders"}));
}

TEST_F(Migration, partitions_and_children_tell_their_parents_too) {
    const auto sorted_words = [](const Names& tags) {
        Names words;
        if (tags.size() != 1) return words;
        for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 1) {
            end = tags[0].find(' ', at);
            words.push_back(tags[0].substr(at, end - at));
        }
        std::ranges::sort(words);
        return words;
    };
    EXPECT_EQ(after("insert into shop.events values (1, 1)"), (Names{"shop.events"}));
    EXPECT_EQ(sorted_words(after("insert into shop.events_1 values (2, 2)")), (Names{"shop.events", "shop.events_1"}));
    EXPECT_EQ(sorted_words(after("insert into inside.events_1_1 values (3, 3)")),
              (Names{"inside.events_1_1", "shop.events", "shop.events_1"}));
    EXPECT_EQ(after("update shop.events set id = 4"), (Names{"shop.events"}));
    EXPECT_EQ(sorted_words(after("insert into shop.child values (1, 1)")), (Names{"shop.child", "shop.parent"}));
    EXPECT_EQ(after("update shop.parent set id = 2"), (Names{"shop.parent"})) << "a row of the child";
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
    ear->run("set search_path = trap, pg_catalog; set role writer");
    EXPECT_EQ(after("insert into shop.orders values (60)"), (Names{"shop.orders"}));
    EXPECT_EQ(after("insert into shop.events_1 values (4, 4)").size(), 1U);
    ear->run(
        "reset role; reset search_path; revoke all on schema shop from writer; revoke all on shop.orders, shop.events_1 from "
        "writer");
}

TEST_F(Migration, triggers_fire_for_replicated_sessions_too) {
    ear->run("set session_replication_role = 'replica'");
    EXPECT_EQ(after("insert into shop.orders values (70)"), (Names{"shop.orders"}));
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
    ear->run("alter table shop.orders disable trigger millrace_insert; drop trigger millrace_truncate on shop.lines");
    EXPECT_EQ(after("insert into shop.orders values (90)"), Names{});
    EXPECT_FALSE(catalog()->find("shop", "orders")->watched);
    EXPECT_FALSE(catalog()->find("shop", "lines")->watched);
    apply();
    EXPECT_TRUE(catalog()->find("shop", "orders")->watched);
    EXPECT_TRUE(catalog()->find("shop", "lines")->watched);
    EXPECT_EQ(after("insert into shop.orders values (91)"), (Names{"shop.orders"}));
}

TEST_F(Migration, watched_relations_are_known) {
    const auto known = catalog();
    for (const auto& relation : known->relations) EXPECT_TRUE(relation.watched) << relation.id();
}

TEST_F(Migration, removal_takes_everything_away) {
    for (int i = 0; i < 2; ++i) {  // also when there is nothing
        const auto done = execute(url, migration_removal_sql(*catalog()));
        ASSERT_TRUE(done) << done.error().message;
        EXPECT_EQ(triggers(), "");
        EXPECT_EQ(
            support::shared_postgres().execute("select count(*) from pg_namespace where nspname = 'millrace'", "migration"),
            "0");
    }
    EXPECT_EQ(after("insert into shop.orders values (95)"), Names{});
    apply();
    EXPECT_EQ(after("insert into shop.orders values (96)"), (Names{"shop.orders"}));
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
    const auto done = execute(theirs, migration_sql(*introspect(theirs, {"shop"}, "").value()));
    EXPECT_TRUE(done) << done.error().message;
    EXPECT_TRUE(execute(theirs, migration_removal_sql({})));
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

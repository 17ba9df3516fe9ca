// What an answer depends on: one row where the triggers tell of rows and the request names one, the table otherwise.
#include <gmock/gmock.h>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {
namespace {

using testing::ElementsAre, testing::UnorderedElementsAre;

catalog::Column column(const char* name, std::uint32_t oid) {
    catalog::Column out;
    out.name = name;
    out.type_oid = out.base_type_oid = oid;
    return out;
}

// shop.orders (id), shop.lines (order_id, n) that refer to them, shop.days (day, id) with a partition shop.november.
struct World {
    World() {
        add("orders", {column("id", 23), column("note", 25)}, {"id"});
        add("lines", {column("order_id", 23), column("n", 23)}, {"order_id", "n"});
        add("days", {column("day", 1082), column("id", 20)}, {"day", "id"});
        add("november", {column("id", 20), column("day", 1082)}, {"day", "id"}).base_tables = {"shop.days", "shop.november"};
        catalog->foreign_keys = {{"lines_order_id_fkey", "shop.lines", "shop.orders", {{"order_id", "id"}}}};
        settings.database.anonymous_role = "web";
    }

    catalog::Relation& add(const char* name, std::vector<catalog::Column> columns, std::vector<std::string> key) {
        catalog::Relation relation;
        relation.schema = "shop";
        relation.name = name;
        relation.columns = std::move(columns);
        relation.primary_key = std::move(key);
        relation.base_tables = {relation.id()};
        relation.watched = relation.told_by_key = true;
        catalog->relations.push_back(std::move(relation));
        return catalog->relations.back();
    }
    catalog::Relation& table(std::string_view name) {
        return *std::ranges::find(catalog->relations, name, &catalog::Relation::name);
    }

    std::shared_ptr<const Work> work(std::string_view target, bool as_shape) {
        if (snapshot->versions.empty()) {
            catalog::complete(*catalog);
            snapshot->catalog = catalog;
            routes::RouteTable table;
            table.version = "v1";
            table.schema = "shop";
            table.expose_schema = true;
            table.defaults.cache.emplace().ttl_s = 60;
            snapshot->versions.push_back(routes::build_lens(table, catalog, settings).api);
            snapshot->settings = settings;
        }
        message::Request request;
        request.target = target;
        request.path = target.substr(0, target.find('?'));
        if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
        const auto match = find_route(*snapshot, request, WallTime{});
        const auth::Identity nobody{.role = "", .claims_json = "{}"};
        values.clear();
        std::string key;
        append_remember_key(key, request, values);
        if (as_shape) return prepare_shape(snapshot, *match, nobody, request);
        values.clear();
        return std::get<std::shared_ptr<const Work>>(*prepare(snapshot, *match, nobody, request));
    }
    // The same whether the request was planned as it is or as a shape.
    std::vector<fence::Tag> tags(std::string_view target) {
        const auto alone = work(target, false);
        if (!alone->cache) return {"not cached"};
        auto tags = entry_tags(*alone->cache, values);
        if (const auto shape = work(target, true)) {
            EXPECT_EQ(entry_tags(*shape->cache, values), tags) << target;
            ++shapes;
        }
        return tags;
    }

    std::shared_ptr<catalog::Catalog> catalog = std::make_shared<catalog::Catalog>();
    std::shared_ptr<Snapshot> snapshot = std::make_shared<Snapshot>();
    config::Settings settings;
    std::vector<std::string> values;
    int shapes = 0;
};

fence::Tag key(std::string_view table, std::vector<std::string> texts) { return fence::key_tag(table, texts); }

}  // namespace

TEST(EntryTags, of_a_read_by_key_are_of_its_row) {
    World world;
    EXPECT_THAT(world.tags("/v1/orders?id=eq.7"), ElementsAre("@v1", "@v1/orders", "shop.orders#*", key("shop.orders", {"7"})));
    EXPECT_THAT(world.tags("/v1/orders?id=eq.8&select=note"),
                ElementsAre("@v1", "@v1/orders", "shop.orders#*", key("shop.orders", {"8"})));
    EXPECT_THAT(world.tags("/v1/lines?n=eq.2&order_id=eq.7"),
                ElementsAre("@v1", "@v1/lines", "shop.lines#*", key("shop.lines", {"7", "2"})))
        << "in the order of the key";
    EXPECT_GE(world.shapes, 3);
}

TEST(EntryTags, of_any_other_read_are_of_the_table) {
    World world;
    for (const char* target : {"/v1/orders", "/v1/orders?id=gt.7", "/v1/orders?id=in.(7)", "/v1/orders?id=eq.7&note=eq.x",
                               "/v1/orders?id=eq.07", "/v1/orders?note=eq.7"})
        EXPECT_THAT(world.tags(target), ElementsAre("@v1", "@v1/orders", "shop.orders")) << target;
    EXPECT_THAT(world.tags("/v1/lines?order_id=eq.7"), ElementsAre("@v1", "@v1/lines", "shop.lines"));
}

TEST(EntryTags, of_embeds_are_of_their_tables) {
    World world;
    EXPECT_THAT(world.tags("/v1/orders?id=eq.7&select=id,lines(n)"),
                UnorderedElementsAre("@v1", "@v1/orders", "shop.lines", "shop.orders#*", key("shop.orders", {"7"})));
    EXPECT_THAT(world.tags("/v1/orders?select=id,lines(n)"),
                UnorderedElementsAre("@v1", "@v1/orders", "shop.lines", "shop.orders"));
}

TEST(EntryTags, of_a_partition_are_of_its_parents_too) {
    World world;
    const std::vector<std::string> texts = {"00002662", "7"};
    EXPECT_THAT(world.tags("/v1/november?day=eq.2026-11-26&id=eq.7"),
                UnorderedElementsAre("@v1", "@v1/november", "shop.november#*", key("shop.november", texts), "shop.days#*",
                                     key("shop.days", texts)));
    world = World();
    world.table("days").told_by_key = false;
    EXPECT_THAT(world.tags("/v1/november?day=eq.2026-11-26&id=eq.7"),
                UnorderedElementsAre("@v1", "@v1/november", "shop.november#*", key("shop.november", texts), "shop.days"));
}

TEST(EntryTags, are_tables_where_the_triggers_do_not_tell_of_rows_or_policies_decide) {
    World untold;
    untold.table("orders").told_by_key = false;
    EXPECT_THAT(untold.tags("/v1/orders?id=eq.7"), ElementsAre("@v1", "@v1/orders", "shop.orders"));
    World secured;
    secured.table("orders").row_security = true;
    EXPECT_THAT(secured.tags("/v1/orders?id=eq.7"), testing::Not(testing::Contains(key("shop.orders", {"7"}))));
}

TEST(EntryTags, of_materialized_views_are_there_where_refreshes_are_seen) {
    World world;
    world.table("orders").reads_materialized = true;
    EXPECT_THAT(world.tags("/v1/orders"), ElementsAre("@v1", "@v1/orders", "shop.orders"));
    world = World();
    world.table("orders").reads_materialized = true;
    world.settings.cache.catalog_poll_ms = 0;
    EXPECT_THAT(world.tags("/v1/orders"), ElementsAre("not cached"));
    world = World();
    world.table("orders").reads_materialized = true;
    world.settings.cache.catalog_poll_ms = 0;
    world.catalog->ddl_watched = true;
    EXPECT_THAT(world.tags("/v1/orders"), ElementsAre("@v1", "@v1/orders", "shop.orders"));
}

TEST(OwnInvalidation, is_what_the_triggers_told_else_the_tables_written_to) {
    Work work;
    work.invalidates = {"shop.orders"};
    const auto outcome = [](std::string_view xid, std::string_view told) {
        sql::Rows rows;
        rows.columns = 4;
        rows.cells = {xid, {}, {}, told};
        return rows;
    };
    const auto told = own_invalidation(work, outcome("17", " shop.lines#0001 shop.days"));
    ASSERT_TRUE(told);
    EXPECT_EQ(told->xid, 17U);
    EXPECT_THAT(told->tags, ElementsAre("shop.days", "shop.days#*", "shop.lines", "shop.lines#0001"));
    for (const std::string_view other : {std::string_view(), std::string_view("nonsense without a space in front")}) {
        const auto written = own_invalidation(work, outcome("18", other));
        ASSERT_TRUE(written);
        EXPECT_EQ(written->xid, 18U);
        EXPECT_THAT(written->tags, UnorderedElementsAre("shop.orders", "shop.orders#*"));
    }
    EXPECT_FALSE(own_invalidation(work, outcome({}, " shop.orders"))) << "it changed nothing";
    EXPECT_FALSE(own_invalidation(work, sql::Rows{}));
}

}  // namespace millrace::pipeline

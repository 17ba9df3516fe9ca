// From the text of a request to the JSON of its rows, through a real Postgres: parser, lens, plan, SQL and cells together.
#include "sql_fixture.hpp"

namespace sql_tests {

struct Read {
    const char* target;
    const char* rows;
};

TEST_F(Sql, reads_give_the_rows_that_were_asked_for) {
    for (const Read& each : std::initializer_list<Read>{
             {"/v1/products?select=id&id=eq.2", R"([{"id":2}])"},
             {"/v1/products?select=name,price&price=gte.0.75&order=price.desc",
              R"([{"name":"hammer","price":20.00},{"name":"pear","price":0.75}])"},
             {"/v1/products?select=id&order=price.desc.nullslast&limit=2&offset=1", R"([{"id":2},{"id":1}])"},
             {"/v1/products?select=id&order=price.nullsfirst&limit=1", R"([{"id":4}])"},
             {"/v1/products?select=n:name,cost:price::text,attributes->size,attributes->from->>country&id=eq.1",
              R"([{"n":"apple","cost":"0.50","size":3,"country":"PL"}])"},
             {"/v1/products?select=attributes->0&id=eq.4", R"([{"attributes":1}])"},
             {"/v1/products?select=tags&id=in.(1,3)&order=id", R"([{"tags":["red","a,b"]},{"tags":null}])"},
             {"/v1/products?select=id&name=like.*p*&order=id", R"([{"id":1},{"id":2}])"},
             {"/v1/products?select=id&name=not.ilike.*P*&order=id", R"([{"id":3},{"id":4}])"},
             {"/v1/products?select=id&name=like(any).{a*,h*}&order=id", R"([{"id":1},{"id":3}])"},
             {"/v1/products?select=id&price=gt(all).{0.5,0.7}&order=id", R"([{"id":2},{"id":3}])"},
             {"/v1/products?select=id&price=is.null", R"([{"id":4}])"},
             {"/v1/products?select=id&price=isdistinct.20&order=id", R"([{"id":1},{"id":2},{"id":4}])"},
             {"/v1/products?select=id&name=match.^a", R"([{"id":1}])"},
             {"/v1/products?select=id&tags=cs.{red}", R"([{"id":1}])"},
             {"/v1/products?select=id&tags=ov.{green,\"a,b\"}&order=id", R"([{"id":1},{"id":2}])"},
             {"/v1/products?select=id&tags->>0=eq.red", R"([{"id":1}])"},
             {"/v1/products?select=id&attributes->size=eq.4", R"([{"id":2}])"},
             {"/v1/products?select=id&attributes=cs.{\"size\":3}", R"([{"id":1}])"},
             {"/v1/products?select=id&name=fts(english).apples", R"([{"id":1}])"},
             {"/v1/products?select=id&name=plfts.hammer", R"([{"id":3}])"},
             {"/v1/kinds?select=id&r=adj.[5,6)", R"([{"id":1}])"},
             {"/v1/kinds?select=id&tv=wfts(simple).cat", R"([{"id":1}])"},
             {"/v1/products?select=id&or=(id.eq.1,and(price.gt.1,name.not.is.null))&order=id", R"([{"id":1},{"id":3}])"},
             {"/v1/products?select=id&not.or=(id.eq.1,id.eq.2)&order=id", R"([{"id":3},{"id":4}])"},
             {"/v1/products?select=id&id=in.()", "[]"},
             {"/v1/products?select=id&limit=0", "[]"},
         }) {
        SCOPED_TRACE(each.target);
        EXPECT_EQ(get(each.target), json::parse(each.rows));
    }
}

TEST_F(Sql, embeds_follow_foreign_keys_in_both_directions) {
    for (const Read& each : std::initializer_list<Read>{
             {"/v1/products?select=id,categories(name)&order=id",
              R"([{"id":1,"categories":{"name":"fruit"}},{"id":2,"categories":{"name":"fruit"}},
                  {"id":3,"categories":{"name":"tools"}},{"id":4,"categories":null}])"},
             {"/v1/categories?select=id,products(id)&products.order=id.desc&order=id",
              R"([{"id":1,"products":[]},{"id":2,"products":[{"id":2},{"id":1}]},{"id":3,"products":[{"id":3}]}])"},
             {"/v1/categories?select=id,products(id)&products.order=id&products.limit=1&products.offset=1&id=eq.2",
              R"([{"id":2,"products":[{"id":2}]}])"},
             {"/v1/categories?select=id,parent:parent_id(name),children:categories(id)&order=id",
              R"([{"id":1,"parent":null,"children":[{"id":2}]},{"id":2,"parent":{"name":"food"},"children":[]},
                  {"id":3,"parent":null,"children":[]}])"},
             {"/v1/customers?select=id,details(note)&order=id",
              R"([{"id":1,"details":{"note":"likes fruit"}},{"id":2,"details":null}])"},
             {"/v1/details?select=customers(name)", R"([{"customers":{"name":"Ann"}}])"},
             {"/v1/orders?select=id,products(name)&products.order=name&order=id",
              R"([{"id":10,"products":[{"name":"apple"},{"name":"hammer"}]},{"id":11,"products":[{"name":"pear"}]},
                  {"id":12,"products":[]}])"},
             {"/v1/orders?select=id,buyer:customers!orders_customer_id_fkey(name),payer:customers!billed_to(name)&id=eq.10",
              R"([{"id":10,"buyer":{"name":"Ann"},"payer":{"name":"Bob"}}])"},
             {"/v1/customers?select=name,orders!customer_id(id,order_items(quantity,products(name,categories(name))))&id=eq.1"
              "&orders.id=eq.10&orders.order_items.quantity=gt.1",
              R"([{"name":"Ann","orders":[{"id":10,"order_items":[{"quantity":5,
                   "products":{"name":"apple","categories":{"name":"fruit"}}}]}]}])"},
             {"/v2/goods?select=title,groups(name)&group_id=eq.3", R"([{"title":"hammer","groups":{"name":"tools"}}])"},
         }) {
        SCOPED_TRACE(each.target);
        EXPECT_EQ(get(each.target), json::parse(each.rows));
    }
}

TEST_F(Sql, embeds_can_filter_and_order_what_they_hang_on) {
    for (const Read& each : std::initializer_list<Read>{
             {"/v1/products?select=id,categories!inner(name)&categories.name=eq.tools",
              R"([{"id":3,"categories":{"name":"tools"}}])"},
             {"/v1/categories?select=id,products!inner(id)&products.price=lt.0.6", R"([{"id":2,"products":[{"id":1}]}])"},
             {"/v1/categories?select=id,products!inner()&order=id", R"([{"id":2},{"id":3}])"},
             {"/v1/categories?select=id,products!inner(order_items!inner())&order=id", R"([{"id":2},{"id":3}])"},
             {"/v1/orders?select=id,products!inner(id)&products.id=eq.3", R"([{"id":10,"products":[{"id":3}]}])"},
             {"/v1/products?select=id,categories()&categories=is.null", R"([{"id":4}])"},
             {"/v1/orders?select=id,order_items()&order_items=is.null", R"([{"id":12}])"},
             {"/v1/orders?select=id,products()&products=not.is.null&order=id", R"([{"id":10},{"id":11}])"},
             {"/v1/orders?select=id,products()&products.name=eq.pear&or=(products.not.is.null,id.eq.12)&order=id",
              R"([{"id":11},{"id":12}])"},
             {"/v1/products?select=id,categories(name)&order=categories(name).desc.nullslast,id",
              R"([{"id":3,"categories":{"name":"tools"}},{"id":1,"categories":{"name":"fruit"}},
                  {"id":2,"categories":{"name":"fruit"}},{"id":4,"categories":null}])"},
             {"/v1/products?select=id,categories()&order=categories(id).nullsfirst,id&limit=1", R"([{"id":4}])"},
         }) {
        SCOPED_TRACE(each.target);
        EXPECT_EQ(get(each.target), json::parse(each.rows));
    }
}

TEST_F(Sql, spreads_and_aggregates_flatten_and_group) {
    for (const Read& each : std::initializer_list<Read>{
             {"/v1/products?select=id,...categories(category:name)&order=id&limit=1", R"([{"id":1,"category":"fruit"}])"},
             {"/v1/order_items?select=quantity,...products(name,...categories(category:name))&order_id=eq.11",
              R"([{"quantity":2,"name":"pear","category":"fruit"}])"},
             {"/v1/categories?select=id,...products(names:name)&products.order=name.desc&order=id",
              R"([{"id":1,"names":[]},{"id":2,"names":["pear","apple"]},{"id":3,"names":["hammer"]}])"},
             {"/v1/products?select=count()", R"([{"count":4}])"},
             {"/v1/products?select=category_id,price.sum(),n:id.count()&order=category_id",
              R"([{"category_id":2,"sum":1.25,"n":2},{"category_id":3,"sum":20.00,"n":1},
                  {"category_id":null,"sum":null,"n":1}])"},
             {"/v1/products?select=categories(name),price.max()&category_id=eq.2",
              R"([{"categories":{"name":"fruit"},"max":0.75}])"},
             {"/v1/categories?select=id,products(count())&order=id&limit=2",
              R"([{"id":1,"products":[{"count":0}]},{"id":2,"products":[{"count":2}]}])"},
             {"/v1/order_items?select=order_id,...products(price.sum(),count())&order=order_id",
              R"([{"order_id":10,"sum":20.50,"count":2},{"order_id":11,"sum":0.75,"count":1}])"},
         }) {
        SCOPED_TRACE(each.target);
        EXPECT_EQ(get(each.target), json::parse(each.rows));
    }
}

TEST_F(Sql, cells_of_every_type_are_what_to_json_prints) {
    const json expected =
        json::parse(support::shared_postgres().execute("select json_agg(k order by id) from kinds k", "sql_test"));
    EXPECT_EQ(get("/v1/kinds?order=id"), expected);
    // The same types once more, by their names in a cast.
    for (const char* cast : {"i8::text", "id::bigint", "n::float8", "t::varchar", "tsz::timestamp", "ts::timestamptz",
                             "ts::date", "b::text", "i2::numeric", "id::money", "u::text", "jb::text", "m::text",
                             "tsz::timestamp with time zone", "v::name", "iv::time", "a::_text"}) {
        const std::string item = cast, type = item.substr(item.find("::") + 2), column = item.substr(0, item.find("::"));
        const json cells = get("/v1/kinds?id=eq.1&select=x:" + item);
        const std::string text =
            "select json_agg(k) from (select cast(" + column + " as " + type + ") as x from kinds where id = 1) k";
        EXPECT_EQ(cells, json::parse(support::shared_postgres().execute(text, "sql_test"))) << cast;
    }
}

TEST_F(Sql, a_read_brings_its_total_and_its_snapshot) {
    const Answer answer = ask(message::Method::get, "/v1/products?select=id,categories!inner(id)&limit=1", {}, "count=exact");
    EXPECT_EQ(answer.rows.size(), 1U);
    EXPECT_EQ(answer.count, "3");
    EXPECT_NE(answer.snapshot.find(':'), std::string::npos);
}

TEST_F(Sql, inserts_take_objects_and_arrays) {
    using message::Method;
    const std::string full = "return=representation";
    const auto one = ask(Method::post, "/v1/customers", R"({"id":5,"name":"Eve"})", full);
    EXPECT_EQ(one.rows, json::parse(R"([{"id":5,"name":"Eve","email":null}])"));
    EXPECT_FALSE(one.xid.empty());
    const auto many = ask(Method::post, "/v1/customers", R"([{"id":5,"name":"Eve"},{"id":6,"name":"Max"}])");
    EXPECT_EQ(many.affected, 2U);
    const auto none = ask(Method::post, "/v1/customers", "[]", full);
    EXPECT_TRUE(none.rows.empty());
    EXPECT_TRUE(none.xid.empty());
    const auto defaults =
        ask(Method::post, "/v1/products?columns=name,price&select=name,price", R"({"name":"saw"})", full + ",missing=default");
    EXPECT_EQ(defaults.rows, json::parse(R"([{"name":"saw","price":1.00}])"));
    const auto nulls = ask(Method::post, "/v1/products?columns=name,price&select=price", R"({"name":"saw"})", full);
    EXPECT_EQ(nulls.rows, json::parse(R"([{"price":null}])"));
    const auto typed = ask(Method::post, "/v1/products?select=tags,attributes",
                           R"({"name":"x","tags":["a","b,c"],"attributes":{"a":[1]}})", full);
    EXPECT_EQ(typed.rows, json::parse(R"([{"tags":["a","b,c"],"attributes":{"a":[1]}}])"));
    EXPECT_EQ(ask(Method::post, "/v2/goods?select=title,groups(name)", R"({"title":"fig","group_id":2})", full).rows,
              json::parse(R"([{"title":"fig","groups":{"name":"fruit"}}])"));
    EXPECT_EQ(ask(Method::post, "/v1/orders", R"({"id":77})", "return=headers-only").rows, json::parse(R"([{"id":77}])"));
}

TEST_F(Sql, upserts_merge_or_ignore) {
    using message::Method;
    const std::string body = R"([{"id":1,"name":"Anna"},{"id":9,"name":"Zoe"}])", full = ",return=representation";
    EXPECT_EQ(ask(Method::post, "/v1/customers?select=name,email", body, "resolution=merge-duplicates" + full).rows,
              json::parse(R"([{"name":"Anna","email":"ann@x.org"},{"name":"Zoe","email":null}])"));
    EXPECT_EQ(ask(Method::post, "/v1/customers?select=name", body, "resolution=ignore-duplicates" + full).rows,
              json::parse(R"([{"name":"Zoe"}])"));
    EXPECT_EQ(ask(Method::post, "/v1/customers?on_conflict=email&select=id,name", R"({"id":1,"name":"A","email":"ann@x.org"})",
                  "resolution=merge-duplicates" + full)
                  .rows,
              json::parse(R"([{"id":1,"name":"A"}])"));
    EXPECT_EQ(ask(Method::put, "/v1/customers?id=eq.1", R"({"id":1,"name":"A"})").affected, 1U);
    EXPECT_EQ(ask(Method::put, "/v1/customers?id=eq.1", R"({"id":2,"name":"A"})").affected, 0U);
}

TEST_F(Sql, updates_and_deletes_reach_what_their_filters_leave) {
    using message::Method;
    const std::string full = "return=representation";
    EXPECT_EQ(ask(Method::patch, "/v1/products?id=in.(1,2)", R"({"price":3})").affected, 2U);
    EXPECT_EQ(ask(Method::patch, "/v1/products?id=eq.1&select=name,categories(name)", R"({"name":"Apple"})", full).rows,
              json::parse(R"([{"name":"Apple","categories":{"name":"fruit"}}])"));
    EXPECT_EQ(ask(Method::patch, "/v1/products?id=eq.1", "{}", full).rows, json::array());
    EXPECT_EQ(ask(Method::patch, "/v1/products?id=eq.1&select=categories(name)", "{}", full).rows, json::array());
    EXPECT_EQ(ask(Method::patch, "/v1/products?id=eq.999", R"({"price":3})").affected, 0U);
    EXPECT_EQ(ask(Method::del, "/v1/details?customer_id=eq.1", {}, full).rows,
              json::parse(R"([{"customer_id":1,"note":"likes fruit"}])"));
    EXPECT_EQ(ask(Method::del, "/v1/details?note=eq.none").affected, 0U);
}

TEST_F(Sql, values_are_never_sql) {
    const std::string drop = "%27);drop%20table%20customers;--";
    EXPECT_EQ(get("/v1/customers?name=eq." + drop), json::array());
    EXPECT_EQ(get("/v1/customers?name=in.(%22" + drop + "%22)"), json::array());
    EXPECT_EQ(get("/v1/products?attributes->>a%27b=eq." + drop), json::array());
    EXPECT_EQ(get("/v1/customers?select=%22a\\%22b%22:id,c:orders!customer_id(%22d%27e%22:id)&id=eq.2"),
              json::parse(R"([{"a\"b":2,"c":[{"d'e":12}]}])"));
}

}  // namespace sql_tests

"""The cache over HTTP: hits, their fields, and that whoever writes, no reader sees the old value for longer than a moment."""
from harness import SystemTest, main

from stack import wait_until  # noqa: E402


class Cache(SystemTest):
    replicas = 2

    def status_of(self, path, replica=0, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.cluster.replicas[replica].request(path, headers=fields).headers.get("cache-status", "")

    def stock(self, product, replica=0):
        return self.cluster.replicas[replica].request(f"/v1/products?id=eq.{product}&select=stock").json[0]["stock"]

    def test_the_second_read_is_a_hit_with_the_same_bytes(self):
        path = "/v1/products?id=eq.101"
        first = self.get(path)
        self.assertIn("fwd=uri-miss; stored", first.headers["cache-status"])
        second = self.get(path)
        self.assertIn("hit", second.headers["cache-status"])
        self.assertIn("detail=memory", second.headers["cache-status"])
        self.assertEqual(second.body, first.body)
        self.assertEqual(second.headers["etag"], first.headers["etag"])
        self.assertLessEqual(int(second.headers["age"]), 30)

    def test_another_replica_finds_it_in_redis(self):
        path = "/v1/products?id=eq.102"
        self.get(path)
        wait_until(lambda: "detail=redis" in self.status_of(path, 1) or "detail=memory" in self.status_of(path, 1), 5,
                   "the other replica never had a hit")

    def test_what_tells_answers_apart_is_in_the_key(self):
        path = "/v1/products?id=eq.103&select=id,name"
        plain = self.get(path)
        one = self.get(path, {"Accept": "application/vnd.pgrst.object+json"})
        counted = self.get(path, {"Prefer": "count=exact"})
        self.assertIsInstance(plain.json, list)
        self.assertIsInstance(one.json, dict)
        self.assertEqual(counted.headers["content-range"], "0-0/1")
        self.assertEqual(self.get(path).headers["content-range"], "0-0/*")
        self.assertEqual(self.get("/v2/items?id=eq.103&select=id").json, [{"id": 103}])

    def test_requests_of_one_shape_get_each_its_own_rows(self):
        for _ in range(4):
            for number in range(201, 221):
                self.assertEqual(self.get(f"/v1/products?select=id&id=eq.{number}").json, [{"id": number}])
                self.assertEqual(self.get(f"/v1/orders?select=id&id=eq.{number}").json, [{"id": number}])
                between = f"/v1/products?select=id&order=id&id=gte.{number}&id=lt.{number + 2}"
                self.assertEqual([row["id"] for row in self.get(between).json], [number, number + 1])
        counted = self.get("/v1/products?select=id&limit=2&id=gt.990", {"Prefer": "count=exact"})
        self.assertEqual(counted.headers["content-range"].split("/")[1],
                         self.sql("select count(*) from shop.products where id > 990"))

    def test_filters_in_another_order_are_the_same_request(self):
        for _ in range(3):
            first = self.get("/v1/products?id=eq.222&category_id=gt.0&select=id")
        swapped = self.get("/v1/products?category_id=gt.0&select=id&id=eq.222")
        self.assertIn("hit", swapped.headers["cache-status"])
        self.assertEqual(swapped.body, first.body)
        self.assertEqual(self.get("/v1/products?id=gt.0&category_id=eq.222&select=id").json, [])

    def test_a_value_cannot_pass_for_another(self):
        for _ in range(3):
            found = self.get("/v1/products?select=id&id=eq.223&name=like.%010%01")
            self.assertEqual(found.json, [])
            refused = self.get("/v1/products?select=id&id=eq.nonsense")
            self.assert_error(refused, 400, "22P02")

    def test_routes_without_a_cache_are_always_asked(self):
        self.get("/v1/orders?id=eq.1")
        self.assertNotIn("cache-status", self.get("/v1/orders?id=eq.1").headers)

    def test_empty_answers_are_found_out_when_they_fill(self):
        path = "/v1/products?name=eq.Not%20there%20yet"
        self.assertEqual(self.get(path).json, [])
        self.assertEqual(self.get(path).json, [])
        self.sql("insert into shop.products (category_id, name, price) values (1, 'Not there yet', 1)")
        wait_until(lambda: len(self.get(path).json) == 1, 2, "the empty answer stayed")

    def test_a_write_through_one_replica_is_seen_through_the_other(self):
        for value in range(1, 21):
            self.stock(104, 0), self.stock(104, 1)
            changed = self.send("PATCH", "/v1/products?id=eq.104", {"stock": value})
            self.assertEqual(changed.status, 204)
            self.assertEqual(self.stock(104, 0), value)
            wait_until(lambda: self.stock(104, 1) == value, 2, "the other replica kept the old value", 0.001)
            self.assertEqual(self.stock(104, 1), value)

    def test_the_token_of_a_write_is_honoured_at_once_by_every_replica(self):
        for value in range(1, 21):
            self.stock(107, 1)
            token = self.send("PATCH", "/v1/products?id=eq.107", {"stock": value}).headers["consistency-token"]
            seen = self.cluster.replicas[1].request("/v1/products?id=eq.107&select=stock", headers={"Consistency-Token": token})
            self.assertEqual(seen.json, [{"stock": value}])

    def test_writes_by_psql_copy_and_truncate_are_seen(self):
        self.stock(105)
        self.sql("update shop.products set stock = 4711 where id = 105")
        wait_until(lambda: self.stock(105) == 4711, 2, "the update was not seen")
        path = "/v1/favourites?select=customer_id&product_id=eq.999&customer_id=eq.5"
        self.get(path)
        self.sql("delete from shop.favourites where product_id = 999 and customer_id = 5")
        wait_until(lambda: self.get(path).json == [], 2, "the delete was not seen")
        self.sql("copy shop.favourites (customer_id, product_id) from stdin;\n5\t999\n\\.\n")
        wait_until(lambda: len(self.get(path).json) == 1, 2, "the copy was not seen")
        self.sql("begin; create table kept as table shop.favourites; truncate shop.favourites; commit")
        wait_until(lambda: self.get(path).json == [], 2, "the truncate was not seen")
        self.sql("insert into shop.favourites table kept; drop table kept")

    def test_a_write_that_was_rolled_back_changes_nothing(self):
        before = self.stock(106)
        self.sql("begin; update shop.products set stock = -1 + 1000 where id = 106; rollback")
        self.assertEqual(self.stock(106), before)

    def test_an_embedded_table_invalidates_as_well(self):
        path = "/v1/products?id=eq.108&select=id,categories(name)"
        category = self.sql("select category_id from shop.products where id = 108")
        self.get(path)
        self.sql(f"update shop.categories set name = 'Renamed' where id = {category}")
        wait_until(lambda: self.get(path).json[0]["categories"]["name"] == "Renamed", 2, "the embed kept the old name")

    def test_a_view_is_invalidated_by_the_table_behind_it(self):
        path = "/v2/item_summaries?id=eq.109&select=availability"
        self.get(path)
        self.sql("update shop.products set stock = 0 where id = 109")
        wait_until(lambda: self.get(path).json == [{"availability": "sold out"}], 2, "the view kept the old value")

    def test_an_open_write_transaction_does_not_switch_the_cache_off(self):
        import subprocess
        from stack.postgres import binaries
        path = "/v1/products?id=eq.110"
        with subprocess.Popen([str(binaries() / "psql"), "-Xq", self.postgres.url("shop")], stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.DEVNULL) as session:
            session.stdin.write("begin; update shop.customers set name = name where id = 1;\n")
            session.stdin.flush()
            wait_until(lambda: self.sql("select count(*) from pg_stat_activity where state = 'idle in transaction' "
                                        "and backend_xid is not null") != "0", 5, "the transaction did not begin")
            self.sql("update shop.products set stock = 3 where id = 110")
            wait_until(lambda: self.get(path).json[0]["stock"] == 3, 2, "the update was not seen")
            wait_until(lambda: "hit" in self.status_of(path), 3, "no hit while a transaction is open")
            session.stdin.close()

    def test_row_security_keeps_a_relation_out_of_the_cache(self):
        self.sql("alter table shop.favourites enable row level security;"
                 "create policy everybody on shop.favourites using (true); notify millrace, 'reload schema'")
        try:
            wait_until(lambda: "cache-status" not in self.get("/v1/favourites?limit=1").headers, 5, "still cached under RLS")
            self.assertTrue(self.get("/v1/favourites?limit=1").json)
        finally:
            self.sql("drop policy everybody on shop.favourites; alter table shop.favourites disable row level security;"
                     "notify millrace, 'reload schema'")
            wait_until(lambda: "hit" in self.status_of("/v1/favourites?limit=1"), 10, "not cached again")


class Invalidations(SystemTest):
    """What ends which entries: rows, tables, and what changes every answer."""

    replicas = 2

    def setUp(self):
        # What the test before has changed last (a table dropped) is heard, and the cache trusted again: notifications come in
        # the order of the commits, so whoever has heard of this write has heard of that.
        path = "/v1/products?id=eq.399&select=id,stock"
        for replica in (0, 1):
            self.kept(path, replica)
        stock = int(self.sql("update shop.products set stock = stock + 1 where id = 399 returning stock"))
        for replica in (0, 1):
            wait_until(lambda r=replica: self.row(399, r).json == [{"id": 399, "stock": stock}], 10, "nothing was heard")
            self.kept(path, replica)

    def row(self, product, replica=0):
        return self.cluster.replicas[replica].request(f"/v1/products?id=eq.{product}&select=id,stock")

    def cache_status(self, path, replica=0):
        return self.cluster.replicas[replica].request(path).headers.get("cache-status", "")

    def kept(self, path, replica=0):
        wait_until(lambda: "hit" in self.cache_status(path, replica), 10, f"{path} is not kept")

    def ends(self, path, what, replica=0):
        self.kept(path, replica)
        self.sql(what) if isinstance(what, str) else what()
        wait_until(lambda: "hit" not in self.cache_status(path, replica), 10, f"{what} ended nothing", 0.005)

    def test_a_read_by_key_survives_writes_to_other_rows(self):
        kept = "/v1/products?id=eq.301&select=id,stock"
        for replica in (0, 1):
            self.kept(kept, replica)
        for value in range(1, 6):
            self.assertEqual(self.send("PATCH", "/v1/products?id=eq.302", {"stock": value}).status, 204)
            self.sql(f"update shop.products set stock = {value} where id in (303, 304)")
            # Who has seen the write has heard of it: in both replicas the other row is still a hit.
            for replica in (0, 1):
                for product in (302, 303):
                    wait_until(lambda r=replica, p=product: self.row(p, r).json == [{"id": p, "stock": value}], 5,
                               "the write was not seen")
                self.assertIn("hit", self.cache_status(kept, replica))
        self.ends("/v1/products?id=lt.5&select=id,stock", "update shop.products set stock = 9 where id = 302")
        self.ends(kept, "update shop.products set stock = 9 where id = 301")
        self.ends(kept, "update shop.products set stock = stock")

    def test_the_replica_that_wrote_answers_with_the_new_row_and_keeps_the_others(self):
        for product in (311, 312):
            self.kept(f"/v1/products?id=eq.{product}&select=id,stock")
        for value in range(10):
            self.send("PATCH", "/v1/products?id=eq.311", {"stock": value})
            self.assertEqual(self.row(311).json, [{"id": 311, "stock": value}])
            self.assertIn("hit", self.row(312).headers["cache-status"])

    def test_a_key_that_changes_ends_the_old_row_and_the_new(self):
        self.sql("insert into shop.favourites (customer_id, product_id) values (7, 321) on conflict do nothing;"
                 "delete from shop.favourites where customer_id = 7 and product_id = 322")
        path = "/v1/favourites?customer_id=eq.7&select=product_id&product_id=eq."
        wait_until(lambda: (len(self.get(path + "321").json), len(self.get(path + "322").json)) == (1, 0), 5, "not there")
        self.kept(path + "321"), self.kept(path + "322")
        self.sql("update shop.favourites set product_id = 322 where customer_id = 7 and product_id = 321")
        wait_until(lambda: (len(self.get(path + "321").json), len(self.get(path + "322").json)) == (0, 1), 2, "kept the old rows")

    def test_ddl_of_another_session_ends_every_entry_at_once(self):
        for what in ("alter table shop.customers set (fillfactor = 90)", "create table shop.later (id int primary key)",
                     "drop table shop.later", "comment on table shop.customers is 'Who buys'"):
            self.ends("/v1/products?id=eq.331&select=id,stock", what)
        self.kept("/v1/products?id=eq.331&select=id,stock")

    def test_a_table_that_is_made_later_is_kept_and_its_writes_are_seen(self):
        self.sql("create table shop.gadgets (id int primary key, name text); insert into shop.gadgets values (1, 'a'), (2, 'b');"
                 "grant select on shop.gadgets to shop_anonymous")
        self.addCleanup(self.sql, "drop table shop.gadgets")
        path = "/v1/gadgets?id=eq.1&select=name"
        wait_until(lambda: self.get(path).status == 200, 10, "the new table is not served")
        self.kept(path), self.kept("/v1/gadgets?id=eq.2&select=name")
        self.sql("update shop.gadgets set name = 'changed' where id = 1")
        wait_until(lambda: self.get(path).json == [{"name": "changed"}], 2, "the write was not seen")
        self.assertIn("hit", self.cache_status("/v1/gadgets?id=eq.2&select=name"))

    def test_a_privilege_that_is_taken_away_counts_at_once(self):
        path = "/v1/products?id=eq.341&select=id"
        for replica in (0, 1):
            self.kept(path, replica)
        self.sql("revoke select on shop.products from shop_anonymous, public")
        try:
            for replica in (0, 1):
                wait_until(lambda r=replica: self.cluster.replicas[r].request(path).status == 401, 5, "still answered")
        finally:
            self.sql("grant select on shop.products to shop_anonymous")
        wait_until(lambda: self.get(path).status == 200, 10, "not answered again")

    def test_a_refresh_ends_what_was_read_of_the_materialized_view(self):
        self.sql("create materialized view shop.stocks as select 1 as id, sum(stock) as total from shop.products;"
                 "create unique index on shop.stocks (id); grant select on shop.stocks to shop_anonymous")
        self.addCleanup(self.sql, "drop materialized view shop.stocks")
        path, other = "/v1/stocks?select=total", "/v1/products?id=eq.362&select=id,stock"
        wait_until(lambda: self.get(path).status == 200, 10, "the view is not served")
        for refresh in ("refresh materialized view shop.stocks", "refresh materialized view concurrently shop.stocks"):
            self.sql("update shop.products set stock = stock + 1 where id = 361")
            self.kept(path), self.kept(other)
            before = self.get(path).json
            self.sql(refresh)
            wait_until(lambda: self.get(path).json == [{"total": before[0]["total"] + 1}], 2, "the old total stayed")
            self.assertIn("hit", self.cache_status(other))

    def test_a_purge_reaches_every_replica_by_version_route_row_or_all(self):
        path = "/v1/categories?id=eq.1&select=id"
        for tags in ("@v1", "@v1/categories", "!@v1", "shop.categories", "*", "!*"):
            for replica in (0, 1):
                self.ends(path, f"select millrace.purge('{{{tags}}}')", replica)
        self.kept(path)
        self.sql("select millrace.purge('{@v2,@v1/products}')")
        self.ends("/v1/products?id=eq.371&select=id", "select millrace.purge('{@v1/products}')")
        self.assertIn("hit", self.cache_status(path))


class WithoutEventTriggers(SystemTest):
    """Where the role that migrated may not make event triggers, looking has to do."""

    env = {"MILLRACE_CACHE_CATALOG_POLL_MS": "200"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql("drop event trigger millrace_ddl_command_end; drop event trigger millrace_sql_drop", "shop")

    def test_what_changes_the_schema_is_seen_by_looking(self):
        path = "/v1/products?id=eq.1&select=id,stock"
        for what in ("alter table shop.customers set (fillfactor = 80)", "grant select on shop.customers to public",
                     "create view shop.passing as select 1 as one", "drop view shop.passing"):
            wait_until(lambda: "hit" in self.get(path).headers["cache-status"], 10, "not kept")
            self.sql(what)
            wait_until(lambda: "hit" not in self.get(path).headers["cache-status"], 10, f"{what} was not seen", 0.005)

    def test_a_refresh_is_told_by_the_function_or_seen_by_looking(self):
        self.sql("create materialized view shop.stocks as select 1 as id, sum(stock) as total from shop.products;"
                 "grant select on shop.stocks to shop_anonymous")
        path = "/v1/stocks?select=total"
        wait_until(lambda: self.get(path).status == 200, 10, "the view is not served")
        for refresh in ("select millrace.refresh('shop.stocks')", "refresh materialized view shop.stocks"):
            self.sql("update shop.products set stock = stock + 1 where id = 2")
            wait_until(lambda: "hit" in self.get(path).headers.get("cache-status", ""), 10, "not kept")
            before = self.get(path).json[0]["total"]
            self.sql(refresh)
            wait_until(lambda: self.get(path).json == [{"total": before + 1}], 10, f"{refresh}: the old total stayed")


class Memberships(SystemTest):
    env = {"MILLRACE_CACHE_CATALOG_POLL_MS": "200"}

    def test_they_tell_nobody_and_are_seen_by_looking(self):
        path = "/v1/products?id=eq.1&select=id,stock"
        self.sql("create role passing")
        for what in ("grant passing to shop_anonymous", "revoke passing from shop_anonymous"):
            wait_until(lambda: "hit" in self.get(path).headers["cache-status"], 10, "not kept")
            self.sql(what)
            wait_until(lambda: "hit" not in self.get(path).headers["cache-status"], 10, f"{what} was not seen", 0.005)


class WithoutRedis(SystemTest):
    env = {"MILLRACE_REDIS_URL": ""}

    def test_the_memory_cache_works_alone(self):
        self.get("/v1/products?id=eq.1")
        self.assertIn("detail=memory", self.get("/v1/products?id=eq.1").headers["cache-status"])
        self.assertEqual(self.server.admin("/readyz").json["redis"], "off")
        self.sql("update shop.products set stock = 12345 where id = 1")
        wait_until(lambda: self.get("/v1/products?id=eq.1").json[0]["stock"] == 12345, 2, "the update was not seen")


if __name__ == "__main__":
    main()

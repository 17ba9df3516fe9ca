"""Writes over HTTP: what is answered and what is then in the database."""
from harness import SystemTest, main, wait_until

NEW = {"category_id": 1, "name": "A test lamp", "price": 12.5}


class Writes(SystemTest):
    def test_post_makes_one_row_and_says_where_it_is(self):
        made = self.send("POST", "/v1/products", NEW, prefer="return=headers-only")
        self.assertEqual((made.status, made.body), (201, b""))
        row = self.get(made.headers["location"]).json[0]
        self.assertEqual((row["name"], row["price"]), ("A test lamp", 12.5))

    def test_post_of_many_returns_them_when_asked(self):
        many = [dict(NEW, name=f"Lamp {n}") for n in range(3)]
        made = self.send("POST", "/v1/products?select=name,price", many, prefer="return=representation")
        self.assertEqual(made.status, 201)
        self.assertEqual([row["name"] for row in made.json], ["Lamp 0", "Lamp 1", "Lamp 2"])
        self.assertEqual(set(made.json[0]), {"name", "price"})

    def test_patch_changes_what_the_filters_find(self):
        changed = self.send("PATCH", "/v1/products?id=in.(11,12)&select=id,stock&order=id", {"stock": 77},
                            prefer="return=representation")
        self.assertEqual(changed.status, 200)
        self.assertEqual(sorted(row["id"] for row in changed.json), [11, 12])
        self.assertEqual(self.sql("select sum(stock) from shop.products where id in (11, 12)"), "154")
        minimal = self.send("PATCH", "/v1/products?id=eq.11", {"stock": 78})
        self.assertEqual((minimal.status, minimal.body), (204, b""))

    def test_delete_removes_what_the_filters_find(self):
        gone = self.send("DELETE", "/v1/favourites?product_id=in.(21,23)", prefer="return=representation")
        self.assertEqual(gone.status, 200)
        self.assertEqual({row["product_id"] for row in gone.json}, {21, 23})
        self.assertEqual(self.sql("select count(*) from shop.favourites where product_id in (21, 23)"), "0")

    def test_values_travel_as_parameters(self):
        nasty = "'; drop table shop.favourites; -- \" \\ $1 %s \u20ac"
        made = self.send("POST", "/v1/products", dict(NEW, name=nasty), prefer="return=representation")
        self.assertEqual(made.json[0]["name"], nasty)
        found = self.server.request("/v1/products?select=name&name=eq." + __import__("urllib.parse").parse.quote(nasty))
        self.assertEqual(found.json[0]["name"], nasty)
        self.assertNotEqual(self.sql("select count(*) from shop.favourites"), "0")

    def test_what_postgres_refuses_is_said_with_its_code(self):
        self.assert_error(self.send("POST", "/v1/products", dict(NEW, category_id=9999)), 409, "23503")
        self.assert_error(self.send("POST", "/v1/products", dict(NEW, id=1)), 409, "23505")
        self.assert_error(self.send("POST", "/v1/products", dict(NEW, price=-1)), 400, "23514")
        self.assert_error(self.send("POST", "/v1/products", {"category_id": 1, "price": 1}), 400, "23502")
        self.assert_error(self.send("PATCH", "/v1/products?id=eq.1", {"price": "cheap"}), 400, "22P02")

    def test_what_the_role_may_not_do_is_refused(self):
        self.assert_error(self.send("DELETE", "/v1/customers?id=eq.1"), 401, "42501")

    def test_bad_bodies(self):
        for body, kind in (("{", "PGRST102"), ("[1]", "PGRST102"), ("", "PGRST102"),
                           ('[{"name":"a"},{"price":1}]', "PGRST102"), ('{"nonsense":1}', "PGRST204")):
            with self.subTest(body):
                response = self.send("POST", "/v1/products", body, Content_Type="application/json")
                self.assert_error(response, 400, kind)
        self.assertEqual(self.send("POST", "/v1/products", "x" * (2 << 20), Content_Type="application/json").status, 413)

    def test_a_singular_write_of_two_rows_changes_nothing(self):
        before = self.sql("select stock from shop.products where id = 31")
        refused = self.send("PATCH", "/v1/products?id=in.(31,32)", {"stock": 4242}, prefer="return=representation",
                            Accept="application/vnd.pgrst.object+json")
        self.assert_error(refused, 406, "PGRST116")
        self.assertEqual(self.sql("select stock from shop.products where id = 31"), before)

    def test_an_upsert_says_whether_it_made_a_row(self):
        row = {"customer_id": 5, "product_id": 51, "added_at": "2026-01-01T00:00:00+00:00"}
        for status in (201, 200):
            self.assertEqual(self.send("POST", "/v1/favourites", row, "resolution=merge-duplicates").status, status)
        both = [row, dict(row, product_id=52)]
        merged = self.send("POST", "/v1/favourites?select=product_id", both, "resolution=merge-duplicates, return=representation, count=exact")
        self.assertEqual((merged.status, merged.headers["content-range"], merged.json), (201, "*/2", [{"product_id": 51}, {"product_id": 52}]))
        self.assertEqual(merged.headers["preference-applied"], "resolution=merge-duplicates, return=representation, count=exact")
        self.assertEqual(self.send("POST", "/v1/favourites", [], "resolution=merge-duplicates").status, 200)

    def test_put_writes_the_row_of_its_url_or_nothing(self):
        row = {"customer_id": 6, "product_id": 61, "added_at": "2026-01-01T00:00:00+00:00"}
        path = "/v1/favourites?customer_id=eq.6&product_id=eq.61"
        for status in (201, 200):
            put = self.send("PUT", path, row, "return=representation")
            self.assertEqual((put.status, put.json, put.headers.get("content-range")), (status, [row], None))
        self.assertEqual(self.send("PUT", path, row).status, 204)
        for body, query, status, code in ((dict(row, product_id=62), "", 400, "PGRST115"), ([], "", 400, "PGRST115"),
                                          (row, "&limit=1", 400, "PGRST114"), (row, "&added_at=not.is.null", 405, "PGRST105")):
            with self.subTest(query or body):
                self.assert_error(self.send("PUT", path + query, body), status, code)
        self.assertEqual(self.sql("select count(*) from shop.favourites where customer_id = 6 and product_id = 62"), "0")

    def test_a_limit_on_what_is_affected_is_kept_when_handling_is_strict(self):
        path = "/v1/products?id=in.(71,72)"
        refused = self.send("PATCH", path, {"stock": 99}, "handling=strict, max-affected=1")
        self.assert_error(refused, 400, "PGRST124")
        self.assertEqual(refused.json["details"], "The query affects 2 rows")
        self.assertEqual(self.sql("select count(*) from shop.products where id in (71, 72) and stock = 99"), "0")
        done = self.send("PATCH", path, {"stock": 99}, "handling=strict, max-affected=2")
        self.assertEqual((done.status, done.headers["preference-applied"]), (204, "handling=strict, max-affected=2"))
        self.assertEqual(self.send("PATCH", path, {"stock": 98}, "max-affected=1").status, 204)
        self.assert_error(self.send("PATCH", path, {"stock": 97}, "handling=strict, nonsense"), 400, "PGRST122")

    def test_each_write_has_its_range_and_names_what_it_applied(self):
        for method, path, body, prefer, expected in (
                ("POST", "/v1/products", NEW, "count=exact, return=minimal", (201, "*/1", "return=minimal, count=exact")),
                ("POST", "/v1/products", [], None, (201, "*/*", None)),
                ("PATCH", "/v1/products?id=in.(81,82)", {"stock": 5}, "count=exact", (204, "0-1/2", "count=exact")),
                ("PATCH", "/v1/products?id=eq.-1", {"stock": 5}, "count=exact", (204, "*/0", "count=exact")),
                ("PATCH", "/v1/products?id=eq.81", {}, "return=representation", (200, "*/*", "return=representation")),
                ("DELETE", "/v1/favourites?product_id=eq.-1", None, "count=exact, return=minimal", (204, "*/0", "return=minimal, count=exact"))):
            with self.subTest(f"{method} {path}"):
                done = self.send(method, path, body, prefer)
                self.assertEqual((done.status, done.headers.get("content-range"), done.headers.get("preference-applied")), expected)

    def test_empty_objects_make_rows_of_defaults(self):
        self.assert_error(self.send("POST", "/v1/favourites", {}), 400, "23502")
        self.assertEqual(self.send("POST", "/v1/products?select=id", [], "return=representation").json, [])

    def test_identity_columns_are_left_to_postgres(self):
        self.sql("create table shop.strict (id int generated always as identity primary key, a int, b int generated always as (a * 2) stored);"
                 "grant all on shop.strict to shop_anonymous; notify millrace, 'reload schema'")
        self.addCleanup(self.sql, "drop table shop.strict; notify millrace, 'reload schema'")
        wait_until(lambda: self.get("/v1/strict").status == 200, 10, "the new table does not appear")
        self.assert_error(self.send("POST", "/v1/strict", {"id": 1, "a": 1}), 400, "428C9")
        self.assert_error(self.send("POST", "/v1/strict?columns=a,b", {"a": 1}, "missing=default"), 400, "428C9")
        self.assertEqual(self.send("POST", "/v1/strict?select=a,b", {"a": 4}, "return=representation").json, [{"a": 4, "b": 8}])

    def test_views_are_written_as_they_allow(self):
        self.sql("create view shop.cheap as select id, category_id, name, price from shop.products where price < 10 with check option;"
                 "create view shop.labels as select id, upper(name) as label from shop.products;"
                 "create function shop.relabel() returns trigger language plpgsql security definer as $$ begin "
                 "update shop.products set name = new.label where id = old.id; return new; end $$;"
                 "create trigger relabel instead of update on shop.labels for each row execute function shop.relabel();"
                 "grant all on shop.cheap, shop.labels to shop_anonymous; notify millrace, 'reload schema'")
        self.addCleanup(self.sql, "drop view shop.cheap, shop.labels; drop function shop.relabel; notify millrace, 'reload schema'")
        wait_until(lambda: self.get("/v1/labels?limit=1").status == 200, 10, "the new views do not appear")
        made = self.send("POST", "/v1/cheap", {"category_id": 1, "name": "Bargain", "price": 2}, "return=headers-only")
        self.assertRegex(made.headers["location"], r"^/v1/cheap\?id=eq\.\d+$")
        self.assert_error(self.send("POST", "/v1/cheap", {"category_id": 1, "name": "Dear", "price": 20}), 400, "44000")
        row = {"id": int(made.headers["location"].split(".")[-1]), "category_id": 1, "name": "Bargain", "price": 3}
        put = self.send("PUT", made.headers["location"], row, "return=representation")
        self.assertEqual((put.status, put.json), (200, [row]))
        renamed = self.send("PATCH", "/v1/labels?id=eq.91", {"label": "by trigger"}, "return=representation")
        self.assertEqual(renamed.json, [{"id": 91, "label": "by trigger"}])
        self.assertEqual(self.sql("select name from shop.products where id = 91"), "by trigger")

    def test_what_a_trigger_raises_is_the_answer(self):
        self.sql("create function shop.raises() returns trigger language plpgsql as $$ begin "
                 "if new.note = 'pt' then raise sqlstate 'PT402' using message = 'Pay first', hint = 'cash'; end if; "
                 "if new.note = 'full' then raise sqlstate 'PGRST' using message = '{\"code\":\"X1\",\"message\":\"no\"}', "
                 "detail = '{\"status\":451,\"headers\":{\"X-Why\":\"law\"}}'; end if; "
                 "if new.note = 'bad' then raise sqlstate 'PGRST' using message = 'no json'; end if; return new; end $$;"
                 "create trigger raises before update on shop.orders for each row execute function shop.raises()")
        self.addCleanup(self.sql, "drop function shop.raises cascade")
        paid = self.send("PATCH", "/v1/orders?id=eq.1", {"note": "pt"})
        self.assert_error(paid, 402, "PT402")
        self.assertEqual((paid.json["message"], paid.json["hint"]), ("Pay first", "cash"))
        full = self.send("PATCH", "/v1/orders?id=eq.1", {"note": "full"})
        self.assert_error(full, 451, "X1")
        self.assertEqual(full.headers["x-why"], "law")
        self.assert_error(self.send("PATCH", "/v1/orders?id=eq.1", {"note": "bad"}), 500, "PGRST121")
        self.assertEqual(self.send("PATCH", "/v1/orders?id=eq.1", {"note": "fine"}).status, 204)

    def test_a_write_is_read_at_once(self):
        for stock in range(20):
            self.assertEqual(self.send("PATCH", "/v1/products?id=eq.41", {"stock": stock}).status, 204)
            self.assertEqual(self.get("/v1/products?id=eq.41&select=stock").json, [{"stock": stock}])


if __name__ == "__main__":
    main()

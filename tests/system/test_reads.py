"""Reads over HTTP: select, filters, order, windows, counts, single objects and embeds, against the real database."""
from harness import SystemTest, main


class Reads(SystemTest):
    def rows(self, path, **headers):
        response = self.get(path, {name.replace("_", "-"): value for name, value in headers.items()})
        self.assertIn(response.status, (200, 206), response.text)
        return response.json

    def test_a_row_by_its_key_has_every_column_with_its_json_type(self):
        row = self.rows("/v1/products?id=eq.7")[0]
        self.assertEqual(row["id"], 7)
        self.assertIsInstance(row["price"], float)
        self.assertIsInstance(row["tags"], list)
        self.assertIsInstance(row["attributes"], dict)
        self.assertIs(row["active"], True)
        self.assertRegex(row["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$")

    def test_answers_agree_with_what_postgres_itself_makes_of_the_rows(self):
        ours = self.rows("/v1/products?order=id&limit=50")
        theirs = self.sql("select json_agg(p order by id) from (select * from shop.products order by id limit 50) p")
        self.assertEqual(ours, __import__("json").loads(theirs))

    def test_select_takes_aliases_casts_and_json_paths(self):
        row = self.rows("/v1/products?id=eq.7&select=number:id,price::text,colour:attributes->>colour")[0]
        self.assertEqual(set(row), {"number", "price", "colour"})
        self.assertIsInstance(row["price"], str)

    def test_filters(self):
        cases = {
            "id=eq.3": "id = 3", "id=neq.3": "id <> 3", "id=gt.990": "id > 990", "id=gte.990": "id >= 990", "id=lt.5": "id < 5",
            "id=lte.5": "id <= 5", "name=like.Sturdy*": "name like 'Sturdy%'", "name=ilike.*OAK*": "name ilike '%oak%'",
            "id=in.(1,2,3)": "id in (1,2,3)", "active=is.false": "active is false", "active=not.is.true": "active is not true",
            "id=not.in.(1,2,3)": "id not in (1,2,3)", "or=(id.eq.1,id.eq.5)": "id = 1 or id = 5",
            "and=(id.gt.5,or(id.lt.8,price.lt.3))": "id > 5 and (id < 8 or price < 3)",
            "not.or=(id.gt.5,active.is.true)": "not (id > 5 or active is true)", "tags=cs.{sale}": "tags @> '{sale}'",
        }
        for query, condition in cases.items():
            with self.subTest(query):
                expected = self.sql(f"select coalesce(json_agg(id order by id), '[]') from shop.products where {condition}")
                got = [row["id"] for row in self.rows(f"/v1/products?select=id&order=id&{query}")]
                self.assertEqual(str(got).replace(" ", ""), expected.replace(" ", ""))

    def test_order_with_nulls(self):
        first = self.rows("/v1/customers?select=id,born_on&order=born_on.desc.nullsfirst,id&limit=1")[0]
        last = self.rows("/v1/customers?select=id,born_on&order=born_on.desc.nullslast,id&limit=1")[0]
        self.assertIsNone(first["born_on"])
        self.assertIsNotNone(last["born_on"])

    def test_windows_by_url_and_by_range(self):
        by_url = self.get("/v1/products?select=id&order=id&limit=3&offset=4")
        by_range = self.get("/v1/products?select=id&order=id", {"Range-Unit": "items", "Range": "4-6"})
        self.assertEqual(by_url.json, [{"id": 5}, {"id": 6}, {"id": 7}])
        self.assertEqual(by_range.json, by_url.json)
        self.assertEqual(by_range.headers["content-range"], "4-6/*")

    def test_exact_counts(self):
        page = self.get("/v1/products?select=id&limit=10", {"Prefer": "count=exact"})
        self.assertEqual((page.status, page.headers["content-range"]), (206, "0-9/1000"))
        whole = self.get("/v1/categories?select=id", {"Prefer": "count=exact"})
        self.assertEqual((whole.status, whole.headers["content-range"]), (200, "0-49/50"))
        beyond = self.get("/v1/products?select=id&offset=5000&limit=1", {"Prefer": "count=exact"})
        self.assert_error(beyond, 416, "PGRST103")

    def test_a_single_object(self):
        accept = {"Accept": "application/vnd.pgrst.object+json"}
        one = self.get("/v1/products?id=eq.7&select=id", accept)
        self.assertEqual(one.json, {"id": 7})
        self.assertTrue(one.headers["content-type"].startswith("application/vnd.pgrst.object+json"))
        self.assert_error(self.get("/v1/products?id=lt.9", accept), 406, "PGRST116")
        self.assert_error(self.get("/v1/products?id=eq.0", accept), 406, "PGRST116")

    def test_embeds_to_one_and_to_many(self):
        row = self.rows("/v1/products?id=eq.7&select=id,categories(id,name)")[0]
        self.assertEqual(set(row["categories"]), {"id", "name"})
        order = self.rows("/v1/orders?id=eq.5&select=id,lines:order_items(quantity,products(name))")[0]
        self.assertEqual(len(order["lines"]), 3)
        self.assertIn("name", order["lines"][0]["products"])

    def test_embeds_can_be_filtered_ordered_and_required(self):
        rows = self.rows("/v1/customers?select=id,orders(id,status)&orders.status=eq.paid&orders.order=id.desc&order=id&limit=5")
        for row in rows:
            self.assertTrue(all(order["status"] == "paid" for order in row["orders"]))
            self.assertEqual([o["id"] for o in row["orders"]], sorted((o["id"] for o in row["orders"]), reverse=True))
        required = self.rows("/v1/products?select=id,categories!inner(name)&categories.id=eq.3&order=id&limit=5")
        self.assertTrue(required)
        self.assertTrue(all(row["categories"] for row in required))

    def test_head_has_the_fields_of_get_and_no_body(self):
        get = self.get("/v1/products?id=eq.7")
        head = self.send("HEAD", "/v1/products?id=eq.7")
        self.assertEqual((head.status, head.body), (200, b""))
        for name in ("content-type", "etag", "content-range"):
            self.assertEqual(head.headers[name], get.headers[name])

    def test_options_says_what_is_allowed(self):
        response = self.send("OPTIONS", "/v1/categories")
        self.assertEqual(response.status, 200)
        self.assertEqual({m.strip() for m in response.headers["allow"].split(",")}, {"OPTIONS", "GET", "HEAD"})

    def test_options_is_by_the_callers_privileges(self):
        self.addCleanup(self.sql, "grant insert on shop.favourites to shop_anonymous; grant all on shop.order_items to shop_anonymous")
        self.assertIn("POST", self.send("OPTIONS", "/v1/favourites").headers["allow"])
        self.sql("revoke insert on shop.favourites from shop_anonymous; revoke all on shop.order_items from shop_anonymous")
        self.assertEqual(self.send("OPTIONS", "/v1/favourites").headers["allow"], "OPTIONS,GET,HEAD,PATCH,DELETE")
        self.assertEqual(self.send("OPTIONS", "/v1/order_items").headers["allow"], "OPTIONS")

    def test_an_unchanged_answer_is_not_sent_again(self):
        first = self.get("/v1/products?id=eq.8")
        again = self.get("/v1/products?id=eq.8", {"If-None-Match": first.headers["etag"]})
        self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(again.headers["etag"], first.headers["etag"])
        other = self.get("/v1/products?id=eq.8", {"If-None-Match": '"something else"'})
        self.assertEqual(other.status, 200)

    def test_every_answer_has_a_date_and_a_request_id(self):
        made = self.get("/v1/products?id=eq.1").headers
        self.assertRegex(made["date"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        self.assertTrue(made["x-request-id"])
        echoed = self.get("/v1/products?id=eq.1", {"X-Request-Id": "abc-123"}).headers
        self.assertEqual(echoed["x-request-id"], "abc-123")


if __name__ == "__main__":
    main()

"""Two versions over the same tables: what each shows, and that nothing else can be reached through it."""
from harness import SystemTest, main


class Versions(SystemTest):
    def test_v2_has_its_own_names_for_the_same_row(self):
        one = self.get("/v1/products?id=eq.7").json[0]
        two = self.get("/v2/items?id=eq.7").json[0]
        self.assertEqual(two["title"], one["name"])
        self.assertNotIn("name", two)
        self.assertNotIn("cost", two)

    def test_new_names_work_in_select_filter_order_embed_and_body(self):
        title = self.get("/v2/items?id=eq.7&select=title").json[0]["title"]
        quoted = title.replace(" ", "%20")
        self.assertIn(7, [row["id"] for row in self.get(f"/v2/items?title=eq.{quoted}&order=title,id").json])
        lines = self.get("/v2/order_lines?select=quantity,items(title)&limit=1").json
        self.assertEqual(set(lines[0]["items"]), {"title"})
        made = self.send("POST", "/v2/items", {"category_id": 1, "title": "New name", "price": 1}, prefer="return=representation")
        self.assertEqual((made.status, made.json[0]["title"]), (201, "New name"))
        self.assertNotIn("cost", made.json[0])

    def test_new_names_work_in_every_form_of_a_body(self):
        ask = "/v2/items?select=title,category_id,price"
        many = [{"title": "One", "category_id": 1, "price": 1}, {"title": "Two", "category_id": 1, "price": 2}]
        csv = "title,category_id,price\nOne,1,1\nTwo,1,2\n"
        form = "title=One&category_id=1&price=1"
        for body, kind in ((many, "application/json"), (csv, "text/csv"), (form, "application/x-www-form-urlencoded")):
            with self.subTest(kind):
                made = self.send("POST", ask, body, "return=representation", Content_Type=kind)
                self.assertEqual((made.status, made.json), (201, many[:1] if body is form else many))
        for body, kind in (({"name": "x"}, "application/json"), ("name,price\nx,1\n", "text/csv"), ("name=x", "application/x-www-form-urlencoded")):
            with self.subTest(kind):
                refused = self.send("POST", ask, body, Content_Type=kind)
                self.assert_error(refused, 400, "PGRST204")
                self.assertEqual(refused.json["message"], "Could not find the 'name' column of 'items' in the schema cache")

    def test_new_names_work_in_columns_and_defaults(self):
        rows = [{"title": "Kept", "category_id": 1, "price": 3, "name": "ignored", "stock": 9}, {"title": "Lacks", "category_id": 1, "price": 4}]
        ask = "/v2/items?select=title,stock,updated&columns=title,category_id,price,stock,updated"
        made = self.send("POST", ask, rows, "return=representation, missing=default")
        self.assertEqual((made.status, made.headers.get("preference-applied")), (201, "missing=default, return=representation"))
        self.assertEqual([(row["title"], row["stock"]) for row in made.json], [("Kept", 9), ("Lacks", 0)])
        self.assertTrue(all(row["updated"] for row in made.json))
        self.assert_error(self.send("POST", "/v2/items?columns=name,price", rows), 400, "PGRST204")
        self.assert_error(self.send("PATCH", "/v2/items?id=eq.1&columns=cost", {"cost": 1}), 400, "PGRST204")

    def test_new_names_work_in_filters_of_writes_and_what_they_return(self):
        self.send("POST", "/v2/items", {"title": "Changing", "category_id": 1, "price": 5})
        changed = self.send("PATCH", "/v2/items?title=eq.Changing&select=title,price", {"title": "Changed", "price": 6}, "return=representation")
        self.assertEqual(changed.json, [{"title": "Changed", "price": 6}])
        embedded = self.send("PATCH", "/v2/items?title=eq.Changed&select=title,categories(parent)", {"price": 7}, "return=representation")
        self.assertEqual(embedded.json, [{"title": "Changed", "categories": {"parent": None}}])
        self.assert_error(self.send("PATCH", "/v2/items?name=eq.Changed", {"price": 1}), 400, "42703")
        self.assert_error(self.send("DELETE", "/v2/items?cost=gte.0"), 400, "42703")
        gone = self.send("DELETE", "/v2/items?title=eq.Changed&select=title", prefer="return=representation")
        self.assertEqual(gone.json, [{"title": "Changed"}])

    def test_new_names_work_in_location(self):
        item = self.send("POST", "/v2/items", {"title": "Found", "category_id": 1, "price": 5}, "return=headers-only")
        self.assertRegex(item.headers["location"], r"^/v2/items\?id=eq\.\d+$")
        self.assertEqual(self.get(item.headers["location"] + "&select=title").json, [{"title": "Found"}])
        line = {"order_id": 11, "item_id": 999, "quantity": 1, "unit_price": 2}
        made = self.send("POST", "/v2/order_lines", line, "return=headers-only")
        self.assertEqual((made.status, made.headers["location"]), (201, "/v2/order_lines?order_id=eq.11&item_id=eq.999"))
        self.assertEqual(self.get(made.headers["location"]).json, [line])

    def test_new_names_work_in_upserts(self):
        line = {"order_id": 12, "item_id": 998, "quantity": 1, "unit_price": 2}
        ask = "/v2/order_lines?on_conflict=order_id,item_id&select=item_id,quantity"
        for quantity, status in ((1, 201), (5, 200)):
            merged = self.send("POST", ask, dict(line, quantity=quantity), "resolution=merge-duplicates, return=representation")
            self.assertEqual((merged.status, merged.json), (status, [{"item_id": 998, "quantity": quantity}]))
        ignored = self.send("POST", ask, dict(line, quantity=9), "resolution=ignore-duplicates, return=representation")
        self.assertEqual((ignored.status, ignored.json), (201, []))
        unknown = self.send("POST", "/v2/order_lines?on_conflict=order_id,product_id", line, "resolution=merge-duplicates")
        self.assert_error(unknown, 400, "42703")

    def test_new_names_work_in_put(self):
        line = {"order_id": 13, "item_id": 997, "quantity": 1, "unit_price": 2}
        path = "/v2/order_lines?order_id=eq.13&item_id=eq.997"
        for quantity, status in ((1, 201), (5, 200)):
            put = self.send("PUT", path, dict(line, quantity=quantity), "return=representation")
            self.assertEqual((put.status, put.json), (status, [dict(line, quantity=quantity)]))
        self.assert_error(self.send("PUT", path, dict(line, item_id=996)), 400, "PGRST115")
        self.assert_error(self.send("PUT", "/v2/order_lines?order_id=eq.13&product_id=eq.997", line), 405, "PGRST105")
        self.assertEqual(self.sql("select count(*) from shop.order_items where order_id = 13 and product_id = 996"), "0")

    def test_what_a_version_hides_cannot_be_reached(self):
        for path in ("items?select=cost", "items?cost=gt.0", "items?order=cost", "items?or=(cost.gt.0,id.eq.1)",
                     "items?select=name", "items?name=eq.x", "order_lines?select=items(cost)", "order_lines?select=items(name)",
                     "order_lines?select=*,items(*)&items.cost=gt.0", "customers?select=email", "customers?email=like.*",
                     "order_lines?select=products(*)", "items?select=product_summaries(*)", "items?select=favourites(*)"):
            with self.subTest(path):
                response = self.get("/v2/" + path)
                self.assertEqual(response.status, 400, response.text)
                self.assertNotIn('"cost":', response.text)
        for resource in ("products", "product_summaries", "favourites", "pg_class", "shop.products"):
            self.assert_error(self.get("/v2/" + resource), 404, "PGRST205")
        self.assert_error(self.send("PATCH", "/v2/items?id=eq.1", {"cost": 1}), 400, "PGRST204")

    def test_a_view_brings_computed_columns(self):
        row = self.get("/v2/item_summaries?id=eq.7").json[0]
        self.assertIn(row["availability"], ("in stock", "few left", "sold out"))
        self.assertEqual(self.send("POST", "/v2/item_summaries", {"title": "x"}).status, 405)

    def test_pages_are_capped(self):
        self.assertEqual(len(self.get("/v2/items?limit=5000&select=id").json), 100)
        self.assertEqual(len(self.get("/v2/items?select=id").json), 100)
        self.assertEqual(len(self.get("/v2/items?limit=5&select=id").json), 5)

    def test_v1_says_that_it_is_deprecated_and_what_follows_it(self):
        headers = self.get("/v1/products?id=eq.1").headers
        self.assertRegex(headers["deprecation"], r"^@\d+$")
        self.assertRegex(headers["sunset"], r"GMT$")
        self.assertIn('</v2>; rel="successor-version"', headers["link"])
        self.assertNotIn("deprecation", self.get("/v2/items?id=eq.1").headers)
        self.assertIn("deprecation", self.get("/v1/products?nonsense=eq.1").headers)

    def test_versions_and_resources_that_are_not_there(self):
        self.assert_error(self.get("/v3/items"), 404, "MR030")
        self.assert_error(self.get("/"), 404, "MR030")
        near = self.get("/v2/itms")
        self.assert_error(near, 404, "PGRST205")
        self.assertIn("items", near.json["hint"])


if __name__ == "__main__":
    main()

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

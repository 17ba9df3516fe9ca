"""Writes over HTTP: what is answered and what is then in the database."""
from harness import SystemTest, main

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

    def test_a_write_is_read_at_once(self):
        for stock in range(20):
            self.assertEqual(self.send("PATCH", "/v1/products?id=eq.41", {"stock": stock}).status, 204)
            self.assertEqual(self.get("/v1/products?id=eq.41&select=stock").json, [{"stock": stock}])


if __name__ == "__main__":
    main()

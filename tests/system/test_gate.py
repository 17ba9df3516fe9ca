"""Who may use a route: public, required and scopes; the same through embeds, descriptions, the cache, and for what is not there."""
import json
from pathlib import Path

from harness import SECRET, SystemTest, main, token

ROUTES = {
    "version": "v1", "schema": "shop", "expose": "listed", "defaults": {"cache": {"ttl_s": 60, "vary_claims": []}},
    "resources": {
        "products": {}, "categories": {"auth": "required"},
        "favourites": {"auth": ["favourites:read"]},
    },
}
OPEN = {"version": "v2", "schema": "shop", "expose": "listed", "resources": {"products": {"auth": "public"}, "categories": {}}}


def config(directory):
    folder = Path(directory)
    (folder / "v1.json").write_text(json.dumps(ROUTES))
    (folder / "v2.json").write_text(json.dumps(OPEN))
    (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json", "v2.json"]}))
    return folder / "millrace.json"


class Gate(SystemTest):
    env = {"MILLRACE_AUTH_JWT_SECRET": SECRET}
    config = staticmethod(config)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql("create role gate_member nologin; grant gate_member to shop_api; grant usage on schema shop to gate_member;"
                         "grant select on all tables in schema shop to gate_member;"
                         "grant select on shop.categories, shop.favourites to shop_anonymous", "shop")

    def ask(self, path, **claims):
        headers = {"Authorization": "Bearer " + token(role="gate_member", **claims)} if claims else {}
        return self.get(path, headers=headers)

    def test_each_kind_of_route_admits_whom_it_says(self):
        self.assertEqual(self.ask("/v1/products?limit=1").status, 200)
        refused = self.ask("/v1/categories?limit=1")
        self.assert_error(refused, 401, "MR062")
        self.assertEqual(refused.headers["www-authenticate"], "Bearer")
        for _ in range(3):  # the second and the third come from memory
            self.assertEqual(self.ask("/v1/categories?limit=1", sub="a").status, 200)
            refused = self.ask("/v1/favourites?limit=1", sub="a", scope="favourites:write")
            self.assert_error(refused, 403, "MR063")
            self.assertEqual(refused.headers["www-authenticate"], 'Bearer error="insufficient_scope"')
            self.assertEqual(self.ask("/v1/favourites?limit=1", sub="a", scope="x favourites:read").status, 200)
            self.assertEqual(self.ask("/v1/favourites?limit=1", sub="a", scope=["favourites:read"]).status, 200)

    def test_what_one_may_not_use_cannot_be_embedded_and_is_as_if_it_were_not_there(self):
        refused = self.ask("/v1/products?select=id,categories(name)&limit=1")
        absent = self.ask("/v1/products?select=id,nothings(name)&limit=1")
        self.assertEqual(refused.status, 400)
        self.assertEqual(refused.text.replace("categories", "nothings"), absent.text)
        self.assertEqual(self.ask("/v1/products?select=id,categories(name)&limit=1", sub="a").status, 200)
        self.assertEqual(self.ask("/v1/products?select=id,favourites(customer_id)&limit=1", sub="a").status, 400)

    def test_descriptions_are_of_what_their_reader_may_use(self):
        names = lambda response: {path.strip("/") for path in response.json["paths"]} - {"", "openapi.json"}
        self.assertEqual(names(self.ask("/v1/")), {"products"})
        self.assertEqual(names(self.ask("/v1/", sub="a")), {"products", "categories"})
        self.assertEqual(names(self.ask("/v1/openapi.json", sub="a", scope="favourites:read")),
                         {"products", "categories", "favourites"})

    def test_names_that_are_not_there_are_refused_like_those_that_are(self):
        self.assert_error(self.ask("/v1/nothing"), 401, "MR062")
        self.assert_error(self.ask("/v1/rpc/nothing"), 401, "MR062")
        self.assert_error(self.ask("/v1/nothing", sub="a"), 403, "MR063")
        self.assert_error(self.ask("/v1/nothing", sub="a", scope="favourites:read"), 404, "PGRST205")
        self.assert_error(self.ask("/v2/nothing"), 404, "PGRST205")


class Closed(Gate):
    """Where nobody is anonymous but on routes that are public."""

    env = {"MILLRACE_AUTH_JWT_SECRET": SECRET, "MILLRACE_AUTH_ANONYMOUS": "false"}

    def test_each_kind_of_route_admits_whom_it_says(self):
        refused = self.ask("/v1/products?limit=1")
        self.assert_error(refused, 401, "PGRST302")
        self.assertEqual(refused.headers["www-authenticate"], "Bearer")
        self.assertEqual(self.ask("/v2/products?limit=1").status, 200)
        self.assert_error(self.ask("/v2/categories?limit=1"), 401, "PGRST302")
        self.assertEqual(self.ask("/v1/products?limit=1", sub="a").status, 200)

    def test_what_one_may_not_use_cannot_be_embedded_and_is_as_if_it_were_not_there(self):
        self.assertEqual(self.ask("/v2/products?select=id,categories(name)&limit=1").status, 400)

    def test_descriptions_are_of_what_their_reader_may_use(self):
        self.assert_error(self.ask("/v1/"), 401, "PGRST302")

    def test_names_that_are_not_there_are_refused_like_those_that_are(self):
        for path in ("/v1/nothing", "/v2/nothing", "/v9/nothing"):
            self.assert_error(self.ask(path), 401, "PGRST302")


if __name__ == "__main__":
    main()

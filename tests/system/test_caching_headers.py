"""What answers say to caches and clients: bodies in content codings, what clients ask of the cache, and Cache-Control's kin."""
import gzip
import json
from pathlib import Path

from harness import SystemTest, main

from stack import wait_until  # noqa: E402

ROUTES = {
    "version": "v1", "schema": "shop", "expose": "schema",
    "defaults": {"cache": {"ttl_s": 30, "max_age_s": 0, "shared": False, "client_directives": True}},
    "resources": {
        "categories": {"relation": "categories", "cache": {
            "ttl_s": 3600, "max_age_s": 5, "s_maxage_s": 60, "cdn_max_age_s": 600, "stale_while_revalidate_s": 10,
            "stale_if_error_s": 20, "shared": True, "groups": True, "surrogate_keys": True, "client_directives": False}},
        "products": {"relation": "products", "cache": {"ttl_s": 30, "groups": True, "client_directives": True}},
        "order_totals": {"relation": "order_totals", "cache": {"ttl_s": 30, "groups": True, "surrogate_keys": True}},
    },
    "hide": ["orders"],
}


def shop_for_caches(directory):
    path = Path(directory) / "config"
    path.mkdir()
    (path / "v1.json").write_text(json.dumps(ROUTES))
    (path / "millrace.json").write_text(json.dumps({"routes": ["v1.json"], "cache": {"status_key": True}}))
    return path / "millrace.json"


class CachingHeaders(SystemTest):
    config = staticmethod(shop_for_caches)

    def test_a_shared_route_says_how_long_each_cache_may_keep_it(self):
        headers = self.get("/v1/categories?id=eq.1").headers
        self.assertEqual(headers["cache-control"],
                         "public, max-age=5, s-maxage=60, stale-while-revalidate=10, stale-if-error=20")
        self.assertEqual(headers["cdn-cache-control"], "public, max-age=600, stale-while-revalidate=10, stale-if-error=20")
        self.assertEqual(headers["surrogate-key"], "v1 v1/categories shop.categories")
        self.assertEqual(headers["cache-groups"], '"shop.categories"')

    def test_another_is_for_the_client_alone(self):
        headers = self.get("/v1/products?id=eq.1").headers
        self.assertEqual(headers["cache-control"], "private, no-cache")
        self.assertNotIn("cdn-cache-control", headers)
        self.assertNotIn("surrogate-key", headers)
        self.assertEqual(headers["vary"], "Accept, Authorization, Prefer, Range, Accept-Profile, Consistency-Token")

    def test_errors_and_descriptions_are_not_kept(self):
        for path in ("/v1/nothing", "/v9/products", "/v1/products?id=eq.x", "/v1/products?nothing=eq.1"):
            self.assertEqual(self.get(path).headers["cache-control"], "no-store", path)
        self.assertEqual(self.get("/v1/").headers["cache-control"], "private, no-cache")

    def test_groups_name_no_table_that_is_not_shown(self):
        headers = self.get("/v1/order_totals?limit=1").headers
        groups, keys = headers["cache-groups"].split(", "), headers["surrogate-key"].split(" ")
        self.assertIn('"shop.order_items"', groups)
        self.assertIn("shop.order_items", keys)
        self.assertNotIn("orders", headers["cache-groups"] + headers["surrogate-key"])
        self.assertEqual(len([name for name in groups if name.startswith('"t-')]), 1)

    def test_a_write_ends_the_groups_of_what_it_changed(self):
        read = self.get("/v1/products?id=eq.401").headers["cache-groups"]
        write = self.send("PATCH", "/v1/products?id=eq.401", {"stock": 3})
        self.assertEqual(write.headers["cache-group-invalidation"], '"shop.products"')
        self.assertIn('"shop.products"', read)

    def test_the_key_in_the_status_tells_entries_apart(self):
        keys = [self.get(f"/v1/products?id=eq.{number}").headers["cache-status"].split("key=")[1] for number in (402, 403, 402)]
        self.assertEqual(keys[0], keys[2])
        self.assertNotEqual(keys[0], keys[1])


class Variants(SystemTest):
    config = staticmethod(shop_for_caches)
    PATH = "/v1/products?limit=200&order=id"

    def encoded(self, path, coding, method="GET"):
        """The answer in that coding, which is made once somebody has asked for it."""
        def ask():
            response = self.server.request(path, method, {"Accept-Encoding": coding})
            return response if response.headers.get("content-encoding") == coding else None
        self.get(path)
        return wait_until(ask, 20, f"{path} never came in {coding}")

    def test_what_is_asked_for_again_comes_in_the_client_s_coding(self):
        plain = self.get(self.PATH)
        self.assertNotIn("content-encoding", plain.headers)
        self.assertTrue(plain.headers["vary"].startswith("Accept-Encoding, "))
        packed = self.encoded(self.PATH, "gzip")
        self.assertEqual(gzip.decompress(packed.body), plain.body)
        self.assertEqual(int(packed.headers["content-length"]), len(packed.body))
        self.assertEqual(packed.headers["etag"], plain.headers["etag"][:-1] + '-gzip"')
        self.assertEqual(packed.headers["content-range"], plain.headers["content-range"])
        self.assertEqual(packed.headers["content-type"], plain.headers["content-type"])
        self.assertEqual(packed.headers["vary"], plain.headers["vary"])
        self.assertEqual(self.get(self.PATH).body, plain.body)
        head = self.server.request(self.PATH, "HEAD", {"Accept-Encoding": "gzip"})
        self.assertEqual((head.headers["content-encoding"], head.headers["etag"]), ("gzip", packed.headers["etag"]))

    def test_large_ones_come_in_zstd_and_brotli_too(self):
        plain = self.get(self.PATH)
        zstd, br = self.encoded(self.PATH, "zstd"), self.encoded(self.PATH, "br")
        self.assertEqual(zstd.body[:4], b"\x28\xb5\x2f\xfd")
        tags = {response.headers["etag"] for response in (plain, zstd, br)}
        self.assertEqual(len(tags), 3)
        self.assertLess(len(br.body), len(plain.body))
        best = self.get(self.PATH, {"Accept-Encoding": "gzip, deflate, br, zstd"})
        self.assertEqual(best.headers["content-encoding"], "br")
        weighed = self.get(self.PATH, {"Accept-Encoding": "br;q=0.5, zstd, gzip;q=0"})
        self.assertEqual(weighed.headers["content-encoding"], "zstd")

    def test_each_has_its_own_304(self):
        plain, packed = self.get(self.PATH), self.encoded(self.PATH, "gzip")
        for accept in ("gzip", "gzip, identity;q=0.5"):
            for tag in (plain.headers["etag"], packed.headers["etag"]):
                answer = self.get(self.PATH, {"Accept-Encoding": accept, "If-None-Match": tag})
                self.assertEqual((answer.status, answer.headers["etag"]), (304, tag))
                self.assertNotIn("content-encoding", answer.headers)
        self.assertEqual(self.get(self.PATH, {"If-None-Match": packed.headers["etag"]}).status, 200)

    def test_small_and_uncached_ones_stay_plain(self):
        for path in ("/v1/products?id=eq.404", "/v1/rpc/nothing", "/v1/products?id=eq.405"):
            for _ in range(4):
                self.assertNotIn("content-encoding", self.get(path, {"Accept-Encoding": "gzip"}).headers)

    def test_a_change_ends_all_of_them(self):
        path = "/v1/products?id=lt.100&order=id"
        before = self.encoded(path, "gzip")
        self.send("PATCH", "/v1/products?id=eq.7", {"stock": 99})
        after = self.get(path, {"Accept-Encoding": "gzip"})
        self.assertNotEqual(after.headers["etag"].split("-")[0], before.headers["etag"].split("-")[0])
        self.assertEqual(after.json[6]["stock"], 99)
        again = self.encoded(path, "gzip")
        self.assertEqual(json.loads(gzip.decompress(again.body))[6]["stock"], 99)


class ClientDirectives(SystemTest):
    config = staticmethod(shop_for_caches)

    def status(self, path, directives, field="Cache-Control"):
        response = self.get(path, {field: directives})
        return response.status, response.headers.get("cache-status", "").split("; key")[0]

    def test_no_cache_asks_the_database_and_keeps_its_answer(self):
        path = "/v1/products?id=eq.501"
        self.get(path)
        self.assertEqual(self.status(path, "no-cache"), (200, "millrace; fwd=request; stored"))
        self.assertEqual(self.status(path, "no-cache", "Pragma"), (200, "millrace; fwd=request; stored"))
        self.assertIn("hit", self.get(path).headers["cache-status"])

    def test_no_store_keeps_nothing(self):
        path = "/v1/products?id=eq.502"
        self.assertEqual(self.status(path, "no-store"), (200, "millrace; fwd=uri-miss"))
        self.assertEqual(self.status(path, "no-store"), (200, "millrace; fwd=uri-miss"))
        self.get(path)
        self.assertIn("hit", self.status(path, "no-store")[1])

    def test_only_if_cached_takes_no_other_answer(self):
        path = "/v1/products?id=eq.503"
        self.assert_error(self.get(path, {"Cache-Control": "only-if-cached"}), 504, "MR025")
        self.get(path)
        self.assertIn("hit", self.status(path, "only-if-cached")[1])

    def test_an_answer_must_be_young_and_fresh_enough(self):
        path = "/v1/products?id=eq.504"
        self.get(path)
        self.assertIn("hit", self.status(path, "max-age=25")[1])
        self.assertIn("hit", self.status(path, "min-fresh=5")[1])
        self.assertIn("fwd=request", self.status(path, "min-fresh=31")[1])
        wait_until(lambda: int(self.get(path).headers.get("age", "0")) >= 1, 10, "the entry does not age")
        self.assertIn("fwd=request", self.status(path, "max-age=0")[1])

    def test_a_route_that_does_not_allow_it_is_not_told_what_to_do(self):
        path = "/v1/categories?id=eq.2"
        self.get(path)
        for directives in ("no-cache", "max-age=0", "no-store"):
            self.assertIn("hit", self.status(path, directives)[1])


if __name__ == "__main__":
    main()

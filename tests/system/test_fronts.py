"""What stands in front: our answers through a real Varnish and a real nginx, with the rules of deploy/."""
import base64
import hashlib
import hmac
import json
import threading
import time
from pathlib import Path

from harness import SystemTest, main

from stack import NginxCache, Varnish, wait_until  # noqa: E402

SECRET = "a secret of the fronts that is long enough"
SHARED = {"ttl_s": 30, "max_age_s": 0, "s_maxage_s": 60, "shared": True, "surrogate_keys": True}
ROUTES = {
    "version": "v1", "schema": "shop", "expose": "schema",
    "defaults": {"cache": {"ttl_s": 30, "max_age_s": 0, "shared": False}},
    "resources": {
        "products": {"relation": "products", "cache": SHARED},
        # For a second only, so that the next request finds it stale.
        "categories": {"relation": "categories", "cache": {**SHARED, "s_maxage_s": 1, "stale_while_revalidate_s": 30}},
        "brief": {"relation": "categories", "cache": {**SHARED, "s_maxage_s": 1}},
        "for_cdns": {"relation": "categories", "cache": {**SHARED, "s_maxage_s": 0, "cdn_max_age_s": 60}},
        "customers": {"relation": "customers", "cache": {"ttl_s": 30}},
    },
}


def shared_routes(directory):
    path = Path(directory) / "config"
    path.mkdir()
    (path / "v1.json").write_text(json.dumps(ROUTES))
    (path / "millrace.json").write_text(json.dumps({"routes": ["v1.json"], "auth": {"jwt_secret": SECRET}}))
    return path / "millrace.json"


def token(role):
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")
    signed = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + b"." + part(json.dumps({"role": role}).encode())
    return (signed + b"." + part(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest())).decode()


class Front:
    """What holds of every cache in front; each of the classes below has one."""

    config = staticmethod(shared_routes)
    front = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql("create role teller nologin; grant teller to shop_api; grant usage on schema shop to teller;"
                         "grant select on shop.products to teller; notify millrace, 'reload schema'", "shop")
        cls.cache = cls.front(cls.directory, cls.server.port).start()
        cls.addClassCleanup(cls.cache.stop)
        wait_until(lambda: cls.server.request("/v1/products?limit=1", headers=cls.as_teller()).status == 200, 10, "no teller")

    @staticmethod
    def as_teller():
        return {"Authorization": f"Bearer {token('teller')}"}

    def through(self, path, headers=None, **options):
        return self.cache.request(path, headers=headers, **options)

    def asked(self):
        """How many requests have reached us."""
        return sum(count for name, count in self.server.metrics().items() if name.startswith("millrace_http_request_duration_seconds_count"))

    def reaches_us(self, ask):
        before = self.asked()
        answer = ask()
        return answer, self.asked() - before

    def test_a_shared_answer_is_kept(self):
        path = "/v1/products?id=eq.601"
        first = self.through(path)
        self.assertEqual((first.status, first.headers["content-range"]), (200, "0-0/*"))
        second, reached = self.reaches_us(lambda: self.through(path))
        self.assertEqual(reached, 0)
        self.assertEqual((second.body, second.headers["etag"]), (first.body, first.headers["etag"]))
        self.assertEqual(second.headers["content-range"], "0-0/*")

    def test_one_that_is_not_shared_is_not_kept(self):
        path = "/v1/customers?id=eq.1"
        self.assertEqual(self.through(path).status, 200)
        answer, reached = self.reaches_us(lambda: self.through(path))
        self.assertEqual((answer.status, reached), (200, 1))

    def test_nobody_gets_what_another_identity_was_given(self):
        path = "/v1/products?id=eq.602"
        for headers in (None, self.as_teller(), None, self.as_teller()):
            _, reached = self.reaches_us(lambda h=headers: self.through(path, h))
            self.assertEqual(reached, 1 if headers else reached)
        refused = self.through("/v1/categories?id=eq.1", self.as_teller())
        self.assertEqual(refused.status, 403)
        self.assertEqual(self.through("/v1/categories?id=eq.1").status, 200)
        self.assertEqual(self.through("/v1/categories?id=eq.1", self.as_teller()).status, 403)

    def test_representations_are_kept_apart(self):
        path = "/v1/products?id=eq.603"
        for _ in range(2):
            self.assertIsInstance(self.through(path).json, list)
            self.assertIsInstance(self.through(path, {"Accept": "application/vnd.pgrst.object+json"}).json, dict)
            self.assertTrue(self.through(path, {"Accept": "text/csv"}).text.startswith("id,"))
            self.assertEqual(self.through(path, {"Prefer": "count=exact"}).headers["content-range"], "0-0/1")

    def test_ranges_of_rows_reach_us(self):
        path = "/v1/products?select=id&order=id"
        ranged = {"Range-Unit": "items", "Range": "0-2"}
        whole = self.through(path)
        for _ in range(2):
            part = self.through(path, ranged)
            self.assertEqual((part.status, part.json), (200, [{"id": 1}, {"id": 2}, {"id": 3}]))
            self.assertEqual(part.headers["content-range"], "0-2/*")
        self.assertEqual(self.through(path).body, whole.body)
        counted = self.through(path + "&limit=2", {"Prefer": "count=exact"})
        self.assertEqual(counted.status, 206)
        self.assertTrue(counted.headers["content-range"].startswith("0-1/"))
        beyond = self.through(path + "&offset=99999999", {"Prefer": "count=exact"})
        self.assertEqual(beyond.status, 416)
        self.assertTrue(beyond.headers["content-range"].startswith("*/"))

    def test_what_is_stale_is_asked_for_by_its_tag(self):
        path = "/v1/brief?id=eq.2"
        first = self.through(path)
        before = self.unchanged()
        time.sleep(2.5)  # now its time is over, in whole seconds too
        answer = self.through(path)
        self.assertEqual((answer.status, answer.body, answer.headers["etag"]), (200, first.body, first.headers["etag"]))
        self.assertEqual(self.unchanged(), before + 1)

    def test_what_is_over_is_not_given_where_nothing_may_be_stale(self):
        path = "/v1/brief?id=eq.5"
        before = self.through(path)
        self.sql("update shop.categories set name = name || '!' where id = 5")
        time.sleep(2.5)  # now its time is over, in whole seconds too
        self.assertNotEqual(self.through(path).body, before.body)

    def unchanged(self):
        return sum(count for name, count in self.server.metrics().items()
                   if name.startswith("millrace_http_request_duration_seconds_count") and 'status="3xx"' in name)

    def test_what_is_stale_may_be_given_while_it_is_asked_for_again(self):
        path = "/v1/categories?id=eq.3"
        before = self.through(path)
        self.sql("update shop.categories set name = name || '!' where id = 3")
        time.sleep(2.5)  # now its time is over, in whole seconds too, and that of the other half minute is not
        self.assertEqual(self.through(path).body, before.body)
        wait_until(lambda: self.through(path).body != before.body, 20, "the change never came", 0.1)

    def test_a_token_goes_past_what_is_kept(self):
        path = "/v1/products?id=eq.604&select=stock"
        self.through(path)
        written = self.cache.request("/v1/products?id=eq.604", "PATCH", body={"stock": 8})
        self.assertEqual(written.status, 204)
        mine = self.through(path, {"Consistency-Token": written.headers["consistency-token"]})
        self.assertEqual(mine.json, [{"stock": 8}])


class ThroughVarnish(Front, SystemTest):
    front = Varnish

    def test_what_cdns_are_told_goes_before_what_everybody_is_told(self):
        path = "/v1/for_cdns?id=eq.4"
        self.assertEqual(self.server.request(path).headers["cdn-cache-control"], "public, max-age=60, must-revalidate")
        self.assertNotIn("cdn-cache-control", self.through(path).headers)
        _, reached = self.reaches_us(lambda: self.through(path))
        self.assertEqual(reached, 0)

    def test_a_key_drops_what_is_made_of_it(self):
        path = "/v1/products?id=eq.605&select=stock"
        self.through(path)
        self.sql("update shop.products set stock = 4711 where id = 605")
        self.assertNotEqual(self.through(path).json, [{"stock": 4711}])
        self.assertNotIn("surrogate-key", self.through(path).headers)
        self.assertEqual(self.cache.request("/", "PURGE").status, 400)
        self.assertEqual(self.cache.request("/", "PURGE", {"Surrogate-Key": "shop.product"}).status, 200)  # no table's whole name
        self.assertNotEqual(self.through(path).json, [{"stock": 4711}])
        self.assertEqual(self.cache.request("/", "PURGE", {"Surrogate-Key": "shop.products"}).status, 200)
        # What stands behind has been told by the database.
        self.assertEqual(self.through(path).json, [{"stock": 4711}])

    def test_what_is_compressed_comes_through_whole(self):
        path = "/v1/products?limit=100&order=id"
        plain = self.server.request(path)
        for _ in range(3):
            for accept in (None, {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "br, zstd"}):
                answer = self.through(path, accept)
                self.assertEqual(answer.status, 200)
                if "content-encoding" not in answer.headers:
                    self.assertEqual(answer.body, plain.body)

    def test_without_our_rules_varnish_still_answers(self):
        with Varnish(self.directory, self.server.port, vcl=None, name="bare") as bare:
            for path in ("/v1/products?id=eq.606", "/v1/products?id=eq.99999606"):
                answer = bare.request(path)
                self.assertEqual((answer.status, answer.json), (200, self.server.request(path).json))
                self.assertNotIn("content-range", answer.headers)
            errors = [bare.request("/v1/nothing").status, bare.request("/v1/products?offset=99999999", headers={"Prefer": "count=exact"}).status]
            self.assertEqual(errors, [404, 416])


class ThroughNginx(Front, SystemTest):
    front = NginxCache

    def test_a_herd_makes_one_request(self):
        path = "/v1/products?id=eq.607"
        barrier, statuses = threading.Barrier(8), []

        def go():
            barrier.wait(30)
            statuses.append(self.through(path).status)

        def herd():
            threads = [threading.Thread(target=go) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
        _, reached = self.reaches_us(herd)
        self.assertEqual((statuses, reached), ([200] * 8, 1))


if __name__ == "__main__":
    main()

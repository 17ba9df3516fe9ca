"""Reads from a standby: used while it is not behind what a replica has heard of, and never otherwise."""
import json
import subprocess
from pathlib import Path

from harness import SystemTest, main, wait_until

from stack import Millrace, Standby, free_port  # noqa: E402
from stack.postgres import binaries  # noqa: E402

TABLE = {
    "version": "v1", "schema": "shop", "expose": "schema", "defaults": {"reads": "standby"},
    "resources": {"products": {"cache": {"ttl_s": 60}}, "categories": {"reads": "primary"},
                  "rpc/bestsellers": {"cache": {"ttl_s": 60, "depends_on": ["products", "order_items"]}}},
}


class StandbyTest(SystemTest):
    replicas = 2

    @staticmethod
    def config(directory):
        folder = Path(directory)
        (folder / "v1.json").write_text(json.dumps(TABLE))
        (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json"]}))
        return folder / "millrace.json"

    @classmethod
    def setUpClass(cls):
        cls.port = free_port()
        cls.env = {"MILLRACE_DATABASE_STANDBY_URL": f"postgresql://shop_api@127.0.0.1:{cls.port}/shop?target_session_attrs=standby",
                   "MILLRACE_HTTP_STREAM_BYTES_MIN": 4096, "MILLRACE_CACHE_ENTRY_BYTES_MAX": 4096}
        super().setUpClass()
        cls.standby = Standby(cls.postgres, cls.directory, cls.port).start()
        cls.addClassCleanup(cls.standby.stop)
        cls.standby.catch_up()
        for replica in cls.cluster.replicas:
            wait_until(lambda r=replica: r.metrics().get('millrace_backend_up{backend="standby"}') == 1, 20, "no lane to the standby")

    def counts(self, replica=0):
        metrics = self.cluster.replicas[replica].metrics()
        return {result: metrics.get(f'millrace_standby_reads_total{{result="{result}"}}', 0)
                for result in ("used", "behind", "foreign", "failed", "down")}

    def read(self, path, replica=0, **headers):
        """The answer, and what became of the read at the standby; nothing when it was not asked."""
        before = self.counts(replica)
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.cluster.replicas[replica].request(path, headers=fields)
        self.assertEqual(answer.status, 200, answer.text[:300])
        after = self.counts(replica)
        changed = [result for result in after if after[result] != before[result]]
        self.assertLessEqual(len(changed), 1, (before, after))
        return answer, changed[0] if changed else None

    def until(self, result, path, replica=0):
        """Reads until the standby does so; what is written is there a little later than it is heard of."""
        return wait_until(lambda: next((a for a, r in [self.read(path, replica)] if r == result), None), 20, f"never {result}: {path}", 0.06)


class Reads(StandbyTest):
    def setUp(self):
        self.standby.resume_replay()
        self.standby.catch_up()

    def test_routes_that_say_so_are_read_there(self):
        answer = self.until("used", "/v1/orders?id=eq.1")
        self.assertEqual(answer.json[0]["id"], 1)
        self.assertIsNone(self.read("/v1/categories?limit=1")[1], "this one is read from the primary")

    def test_what_was_read_there_fills_the_cache(self):
        path = "/v1/products?id=eq.11&select=id,stock"
        self.assertIn("stored", self.until("used", path).headers["cache-status"])
        again, asked = self.read(path)
        self.assertIsNone(asked)
        self.assertIn("hit", again.headers["cache-status"])
        self.sql("update shop.products set stock = 71 where id = 11")
        wait_until(lambda: self.read(path)[0].json == [{"id": 11, "stock": 71}], 5, "the old value stayed")

    def test_empty_answers_are_no_newer_than_the_standby(self):
        path = "/v1/products?name=eq.Of%20the%20standby&select=id"
        self.until("used", path)
        self.standby.pause_replay()
        self.sql("insert into shop.products (category_id, name, price) values (1, 'Of the standby', 1)")
        wait_until(lambda: len(self.read(path)[0].json) == 1, 5, "the empty answer stayed")
        for _ in range(20):
            self.assertEqual(len(self.read(path)[0].json), 1)

    def test_calls_go_there_too(self):
        self.assertTrue(self.until("used", "/v1/rpc/bestsellers?select=id&limit=2").json)
        self.assertIn("hit", self.read("/v1/rpc/bestsellers?select=id&limit=2")[0].headers["cache-status"])

    def test_a_standby_that_is_behind_is_not_believed(self):
        self.until("used", "/v1/customers?id=eq.1&select=name", 1)
        self.standby.pause_replay()
        for value in range(1, 16):
            written = self.send("PATCH", "/v1/products?id=eq.12", {"stock": value})
            self.assertEqual(written.status, 204)
            own, asked = self.read("/v1/products?id=eq.12&select=stock")
            self.assertEqual(own.json, [{"stock": value}])
            self.assertIn(asked, ("behind", "failed"))  # a lane that the test before has cut is found out by a read
            told, asked = self.read("/v1/products?id=eq.12&select=stock", 1, Consistency_Token=written.headers["consistency-token"])
            self.assertEqual(told.json, [{"stock": value}])
        self.assertEqual(self.sql("select stock from shop.products where id = 12"), "15")
        self.assertNotEqual(self.standby.sql("select stock from shop.products where id = 12", "shop"), "15")
        self.until("used", "/v1/customers?id=eq.1&select=name", 1)  # what nobody wrote to is still true there
        self.standby.resume_replay()
        self.standby.catch_up()
        # What the primary answers meanwhile is kept, so each question is another one.
        paths = (f"/v1/products?id=eq.12&select=id,stock&limit={limit}" for limit in range(2, 1000))
        answer = wait_until(lambda: next((a for a, r in [self.read(next(paths))] if r == "used"), None), 20, "never used", 0.06)
        self.assertEqual(answer.json, [{"id": 12, "stock": 15}])

    def test_a_transaction_that_the_standby_has_not_seen_end_counts_as_not_seen(self):
        # Its snapshot lists no transaction in progress: read as it stands, it would see this one.
        path = "/v1/products?id=eq.13&select=id,name,stock"
        with subprocess.Popen([str(binaries() / "psql"), "-Xq", self.postgres.url("shop")], stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.DEVNULL) as session:
            session.stdin.write("begin; update shop.products set stock = 1313 where id = 13;\n")
            session.stdin.flush()
            wait_until(lambda: self.sql("select count(*) from pg_stat_activity where state = 'idle in transaction' "
                                        "and backend_xid is not null") != "0", 5, "the transaction did not begin")
            self.sql("update shop.favourites set customer_id = customer_id where product_id = 1")
            self.standby.catch_up()
            xmin, xmax = self.standby.sql("select pg_current_snapshot()").split(":")[:2]
            self.assertLess(int(xmin), int(xmax), "nothing is in progress: the test shows nothing")
            self.standby.pause_replay()
            session.stdin.write("commit;\n")
            session.stdin.close()
        wait_until(lambda: self.read(path)[0].json[0]["stock"] == 1313, 5, "the commit was not seen")
        for number in range(10):
            answer, asked = self.read(path + f"&limit={number + 1}")
            self.assertEqual((answer.json[0]["stock"], asked), (1313, "behind"))

    def test_a_token_sends_a_read_to_the_primary_while_the_standby_lacks_the_write(self):
        self.standby.pause_replay()
        token = self.send("PATCH", "/v1/orders?id=eq.2", {"note": "new"}).headers["consistency-token"]
        answer, asked = self.read("/v1/customers?id=eq.2&select=id", Consistency_Token=token)
        self.assertEqual(asked, "behind", "customers were not written to, but the token was sent")
        self.standby.resume_replay()
        wait_until(lambda: self.read("/v1/customers?id=eq.2&select=id", Consistency_Token=token)[1] == "used", 20, "never again", 0.06)

    def test_large_answers_are_streamed_from_there_under_the_same_rule(self):
        path = "/v1/products?select=id,name,description&order=id&limit=500"
        answer = self.until("used", path)
        self.assertEqual(answer.headers.get("transfer-encoding"), "chunked")
        self.assertEqual([row["id"] for row in answer.json][:3], [1, 2, 3])
        self.standby.pause_replay()
        self.send("PATCH", "/v1/products?id=eq.1", {"description": "not there yet"})
        answer, asked = self.read(path)
        self.assertEqual((answer.json[0]["description"], asked), ("not there yet", "behind"))

    def test_without_the_standby_the_primary_is_asked(self):
        self.standby.stop()
        try:
            for number in range(1, 10):
                answer, asked = self.read(f"/v1/orders?id=eq.{number}")
                self.assertIn(asked, ("down", "failed"))
                self.assertEqual(answer.json[0]["id"], number)
        finally:
            self.standby.start()
        self.until("used", "/v1/orders?id=eq.1")

    def test_what_is_no_standby_of_this_primary_is_not_believed(self):
        itself = Millrace(self.directory, self.postgres.url("shop", "shop_api"), name="itself", config=self.server.config,
                          env={"MILLRACE_DATABASE_STANDBY_URL": self.postgres.url("shop", "shop_api"), "MILLRACE_WORKERS": 1})
        self.addCleanup(itself.stop)
        itself.start()
        wait_until(lambda: itself.admin("/readyz").json.get("cache") == "fenced", 10, "the cache is not fenced")

        def foreign():
            self.assertEqual(itself.request("/v1/orders?id=eq.1").json[0]["id"], 1)
            return itself.metrics().get('millrace_standby_reads_total{result="foreign"}', 0)
        wait_until(foreign, 10, "a primary passed for a standby")
        self.assertEqual(itself.metrics().get('millrace_standby_reads_total{result="used"}', 0), 0)


class Promoted(StandbyTest):
    replicas = 1

    def test_a_standby_that_was_promoted_is_not_believed(self):
        self.until("used", "/v1/orders?id=eq.1&select=note")
        self.standby.promote()
        self.standby.sql("update shop.orders set note = 'of another history' where id = 1", "shop")
        self.until("foreign", "/v1/orders?id=eq.1&select=note")
        for _ in range(50):
            answer, asked = self.read("/v1/orders?id=eq.1&select=note")
            self.assertNotEqual(answer.json[0]["note"], "of another history")
            self.assertNotEqual(asked, "used")


if __name__ == "__main__":
    main()

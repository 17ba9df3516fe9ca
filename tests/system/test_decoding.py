"""Invalidation by logical decoding: no triggers, one replica reads the slot, all hear of every write."""
import contextlib
import signal
import time

from harness import SystemTest, main

from stack import wait_until  # noqa: E402
from stack.cluster import migrate  # noqa: E402

ENV = {"MILLRACE_CACHE_INVALIDATION_SOURCE": "decoding", "MILLRACE_CACHE_HEARTBEAT_MS": 200,
       "MILLRACE_CACHE_LAG_LIMIT_MS": 2000}
BOUND_S = 10  # of everything that is waited for on a busy machine

# A partitioned table, and one whose rows nothing tells apart.
TABLES = """
create table shop.readings (id int, at int, value int, primary key (id, at)) partition by range (at);
create table shop.readings_low partition of shop.readings for values from (0) to (10);
create table shop.keyless (a int);
insert into shop.readings values (1, 5, 1);
insert into shop.keyless values (1);
grant select on shop.readings, shop.keyless to shop_anonymous;
"""


class Decoding(SystemTest):
    replicas = 3
    decoding = True
    env = ENV

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql(TABLES, "shop")
        migrate(cls.postgres, decoding=True)
        for replica in cls.cluster.replicas:
            for table in ("readings", "keyless"):
                wait_until(lambda r=replica, t=table: r.request(f"/v1/{t}").status == 200, 20, f"{table} is not there")

    def stock(self, product, replica):
        return replica.request(f"/v1/products?id=eq.{product}&select=stock").json[0]["stock"]

    def seen_by_all(self, path, wanted, why):
        for replica in self.cluster.replicas:
            wait_until(lambda r=replica: r.request(path).json == wanted, BOUND_S, why, 0.005)

    def warm(self, path):
        """Reads until every replica answers from its cache."""
        for replica in self.cluster.replicas:
            wait_until(lambda r=replica: "hit" in r.request(path).headers.get("cache-status", ""), BOUND_S, f"no hit of {path}", 0.01)

    def announces(self, replica):
        return "\nmillrace_announcing 1\n" in replica.admin("/metrics").text

    def announcers(self):
        return [replica for replica in self.cluster.replicas if replica.running and self.announces(replica)]

    def announcer(self):
        wait_until(lambda: len(self.announcers()) == 1, 20, "there is not one announcer")
        return self.announcers()[0]

    def fenced(self, replica):
        return replica.admin("/readyz").json["cache"] == "fenced"

    def all_fenced(self, within=30):
        for replica in self.cluster.replicas:
            wait_until(lambda r=replica: self.fenced(r), within, f"{replica.name} stays unfenced")

    def setUp(self):
        self.all_fenced()

    def test_there_is_no_trigger_and_one_announcer(self):
        self.assertEqual(self.sql("select count(*) from pg_trigger where tgname like 'millrace%' and tgrelid = 'shop.products'::regclass"), "0")
        self.assertEqual(self.sql("select count(*) from pg_replication_slots where active"), "1")
        self.assertIn("\nmillrace_slot_lag_bytes ", self.announcer().admin("/metrics").text)

    def test_writes_through_the_api_are_seen_by_all(self):
        path = "/v1/products?id=eq.11&select=stock"
        for value in range(500, 510):
            self.warm(path)
            written = self.cluster.replicas[value % 3].request("/v1/products?id=eq.11", method="PATCH", body={"stock": value})
            self.assertEqual(written.status, 204)
            self.assertEqual(self.stock(11, self.cluster.replicas[value % 3]), value, "its own write")
            self.seen_by_all(path, [{"stock": value}], "a replica kept the old value")

    def test_the_token_of_a_write_is_honoured_by_every_replica(self):
        a, b, _ = self.cluster.replicas
        for value in range(1, 11):
            self.stock(12, b)
            token = a.request("/v1/products?id=eq.12", method="PATCH", body={"stock": value}).headers["consistency-token"]
            seen = b.request("/v1/products?id=eq.12&select=stock", headers={"Consistency-Token": token})
            self.assertEqual(seen.json, [{"stock": value}])

    def test_writes_by_psql_copy_and_truncate_are_seen_by_all(self):
        path = "/v1/products?id=eq.13&select=stock"
        self.warm(path)
        self.sql("update shop.products set stock = 4711 where id = 13")
        self.seen_by_all(path, [{"stock": 4711}], "the update was not seen")
        path = "/v1/favourites?select=customer_id&product_id=eq.999&customer_id=eq.5"
        self.warm(path)
        self.sql("delete from shop.favourites where product_id = 999 and customer_id = 5; "
                 "insert into shop.favourites (customer_id, product_id) values (5, 999)")
        self.warm(path)
        self.sql("begin; create table kept as table shop.favourites; truncate shop.favourites; commit")
        self.seen_by_all(path, [], "the truncate was not seen")
        self.warm(path)
        self.sql("copy shop.favourites (customer_id, product_id) from stdin;\n5\t999\n\\.\n")
        self.seen_by_all(path, [{"customer_id": 5}], "the copy was not seen")
        self.sql("truncate shop.favourites; insert into shop.favourites table kept; drop table kept")

    def test_a_large_transaction_and_a_prepared_one(self):
        path = "/v1/products?id=eq.14&select=stock"
        self.warm(path)
        self.sql("update shop.products set stock = 77")
        self.seen_by_all(path, [{"stock": 77}], "the large update was not seen")
        self.warm(path)
        self.sql("begin; update shop.products set stock = 78 where id = 14; prepare transaction 'two'")
        self.sql("commit prepared 'two'")
        self.seen_by_all(path, [{"stock": 78}], "the prepared transaction was not seen")

    def test_a_partition_tells_its_parents(self):
        path = "/v1/readings?select=value&id=eq.1&at=eq.5"
        self.warm(path)
        self.sql("update shop.readings_low set value = 2 where id = 1")
        self.seen_by_all(path, [{"value": 2}], "the write to the leaf was not seen through the parent")
        self.warm(path)
        self.sql("update shop.readings set value = 3 where id = 1")
        self.seen_by_all(path, [{"value": 3}], "the write to the parent was not seen")

    def test_what_cannot_be_published_is_not_cached_and_can_be_written(self):
        path = "/v1/keyless?select=a"
        for replica in self.cluster.replicas:
            for _ in range(3):
                self.assertNotIn("hit", replica.request(path).headers.get("cache-status", ""))
        self.sql("update shop.keyless set a = a + 1")  # a publication of all tables would refuse it

    def test_killed_announcer_is_succeeded_and_nothing_stale_is_served(self):
        path = "/v1/products?id=eq.15&select=stock"
        self.warm(path)
        first = self.announcer()
        first.kill9()
        written = time.monotonic()
        self.sql("update shop.products set stock = 31337 where id = 15")
        others = [replica for replica in self.cluster.replicas if replica is not first]
        limit_s = 2.0 + 1.0  # the lag limit, and what a busy machine needs to notice
        for replica in others:
            while (began := time.monotonic()) < written + 20:
                fresh = replica.request(path).json == [{"stock": 31337}]
                self.assertTrue(fresh or began - written < limit_s, "an old value was served beyond the limit")
                if fresh:
                    break
        try:
            wait_until(lambda: len(self.announcers()) == 1, 30, "nobody succeeded it")
            for replica in others:
                wait_until(lambda r=replica: self.fenced(r), 30, "the cache stayed off")
            self.sql("update shop.products set stock = 31338 where id = 15")
            for replica in others:
                wait_until(lambda r=replica: r.request(path).json == [{"stock": 31338}], BOUND_S, "the successor tells nothing")
        finally:
            first.start()
            first.wait_ready()

    def test_a_stopped_announcer_is_succeeded_and_what_it_says_later_does_no_harm(self):
        first = self.announcer()
        first.process.send_signal(signal.SIGSTOP)
        try:
            others = [replica for replica in self.cluster.replicas if replica is not first]
            wait_until(lambda: any(self.announces(r) for r in others), 40, "nobody succeeded it")
            self.sql("update shop.products set stock = 99 where id = 16")
            for replica in others:
                wait_until(lambda r=replica: self.fenced(r) and self.stock(16, r) == 99, 30, "the successor tells nothing")
        finally:
            first.process.send_signal(signal.SIGCONT)
        self.sql("update shop.products set stock = 100 where id = 16")
        self.seen_by_all("/v1/products?id=eq.16&select=stock", [{"stock": 100}], "the old announcer did harm")

    def test_without_redis_the_cache_is_bypassed(self):
        path = "/v1/products?id=eq.17&select=stock"
        self.warm(path)
        self.cluster.redis.kill9()
        try:
            for replica in self.cluster.replicas:
                wait_until(lambda r=replica: not self.fenced(r), 20, "the cache is still trusted")
                self.assertIn("bypass", replica.request(path).headers["cache-status"])
            self.sql("update shop.products set stock = 55 where id = 17")
            for replica in self.cluster.replicas:
                self.assertEqual(self.stock(17, replica), 55)
        finally:
            self.cluster.redis.start()
        self.all_fenced()
        self.seen_by_all(path, [{"stock": 55}], "an old value came back with Redis")

    def test_a_dropped_slot_is_a_gap_and_is_made_again(self):
        path = "/v1/products?id=eq.18&select=stock"
        self.warm(path)
        with contextlib.suppress(RuntimeError):
            self.sql("select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = 'millrace'; "
                     "select pg_drop_replication_slot('millrace'); update shop.products set stock = 66 where id = 18")
        wait_until(lambda: self.sql("select count(*) from pg_replication_slots where slot_name = 'millrace' and active") == "1",
                   40, "the slot was not made again")
        self.sql("update shop.products set stock = 67 where id = 18")
        self.seen_by_all(path, [{"stock": 67}], "an old value outlived the gap")
        self.all_fenced()
        self.warm(path)


class Alone(SystemTest):
    """One process without Redis decodes for itself."""

    decoding = True
    redis = False
    env = ENV

    def test_it_hears_every_write(self):
        path = "/v1/products?id=eq.21&select=stock"
        for value in range(10):
            wait_until(lambda: "hit" in self.get(path).headers.get("cache-status", ""), BOUND_S, "no hit", 0.01)
            self.sql(f"update shop.products set stock = {value} where id = 21")
            wait_until(lambda: self.get(path).json == [{"stock": value}], BOUND_S, "the update was not seen", 0.005)


if __name__ == "__main__":
    main()

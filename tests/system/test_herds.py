"""Many who want the same answer, answers that are given stale, purges, and the proof that nothing is kept that no longer holds."""
import asyncio
import json
import shutil
import subprocess
import time
from pathlib import Path

from harness import SystemTest, main

from stack import ROOT, command, wait_until  # noqa: E402
from stack.postgres import binaries

STALE = '"cache": {"ttl_s": 30, "max_age_s": 0, "shared": false, "stale_while_revalidate_s": 20, "stale_if_error_s": 300}'


def with_stale_routes(directory):
    """The demo's configuration, with routes of /v1 that allow stale answers."""
    folder = Path(directory) / "config"
    shutil.copytree(ROOT / "config", folder)
    table = folder / "routes" / "v1.json"
    plain = '"cache": {"ttl_s": 30, "max_age_s": 0, "shared": false}'
    text = table.read_text()
    assert plain in text
    table.write_text(text.replace(plain, STALE))
    return folder / "millrace.json"


async def ask(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


async def ask_many(ports, path, count, arrived):
    tasks = [asyncio.create_task(ask(ports[i % len(ports)], path)) for i in range(count)]
    await asyncio.get_running_loop().run_in_executor(None, arrived)
    return await asyncio.gather(*tasks)


class Tiered(SystemTest):
    replicas = 3
    config = staticmethod(with_stale_routes)
    env = {"MILLRACE_WORKERS": 2, "MILLRACE_CACHE_FILL_WAIT_MS": 60000, "MILLRACE_CACHE_LEASE_MS": 60000,
           "MILLRACE_REDIS_BUDGET_MS": 1000, "MILLRACE_LIMITS_DEADLINE_MS": 60000, "MILLRACE_CACHE_CHECK_PER_MILLION": 0,
           "MILLRACE_DATABASE_STATEMENT_TIMEOUT_MS": 60000}

    def total(self, name, replicas=None, **labels):
        found = 0.0
        for replica in replicas or self.cluster.replicas:
            for line in replica.admin("/metrics").text.splitlines():
                if line.startswith(name) and all(f'{key}="{value}"' in line for key, value in labels.items()):
                    found += float(line.rsplit(" ", 1)[1])
        return found

    def status(self, path, replica=None, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return (replica or self.server).request(path, headers=fields).headers.get("cache-status", "")

    def price(self, product, replica=None, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return (replica or self.server).request(f"/v1/products?id=eq.{product}&select=stock", headers=fields)


class Herds(Tiered):
    def waiting_queries(self):
        return int(self.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and pid <> pg_backend_pid()"))

    def test_a_thousand_requests_for_one_cold_key_make_one_query(self):
        path = "/v1/customers?select=id,name&order=id&limit=7"
        before = self.total("millrace_statement_duration_seconds_count")
        with subprocess.Popen([str(binaries() / "psql"), "-Xq", self.postgres.url("shop")], stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.DEVNULL) as session:
            session.stdin.write("begin; lock table shop.customers in access exclusive mode;\n")
            session.stdin.flush()
            wait_until(lambda: self.sql("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and "
                                        "relation = 'shop.customers'::regclass") == "1", 10, "the table is not locked")

            def arrived():
                wait_until(lambda: self.waiting_queries() >= 1, 30, "no query arrived")
                time.sleep(2)  # long enough for every other one to arrive, if there were one
                self.most = self.waiting_queries()
                session.stdin.close()

            ports = [replica.port for replica in self.cluster.replicas]
            answers = asyncio.run(ask_many(ports, path, 1000, arrived))
        self.assertEqual(self.most, 1)
        self.assertEqual([answer.split(b" ", 2)[1] for answer in answers].count(b"200"), 1000)
        self.assertEqual(len({answer.rsplit(b"\r\n\r\n", 1)[1] for answer in answers}), 1)
        self.assertEqual(self.total("millrace_statement_duration_seconds_count") - before, 1)
        self.assertGreaterEqual(self.total("millrace_cache_leases_total", result="waited"), 1)
        self.assertGreater(self.total("millrace_cache_waits_total", result="ok"), 100)

    def test_a_single_object_of_nothing_is_kept_and_found_out_when_it_comes(self):
        path, accept = "/v1/products?name=eq.Nobody%20has%20it", "application/vnd.pgrst.object+json"
        def asked():
            answer = self.get(path, {"Accept": accept})
            self.assert_error(answer, 406, "PGRST116")
            return answer.headers["cache-status"]

        self.assertIn("fwd=uri-miss", asked())
        wait_until(lambda: "hit" in asked(), 5, "what has no rows is kept from the next beat on")
        self.sql("insert into shop.products (category_id, name, price) values (1, 'Nobody has it', 1)")
        wait_until(lambda: self.get(path, {"Accept": accept}).status == 200, 5, "the negative entry stayed")

    def test_nobody_queues_for_what_is_not_kept(self):
        path = "/v1/products?id=eq.nonsense2&price=gt.1"

        def passed_by():
            self.assertEqual(self.get(path).status, 400)
            return self.total("millrace_cache_requests_total", result="bypass", reason="unkept") >= 1

        wait_until(passed_by, 10, "not remembered")


class Stale(Tiered):
    def test_what_was_changed_is_given_stale_while_it_is_read_anew(self):
        self.price(301), self.price(301)
        self.sql("update shop.products set stock = 31337 where id = 301")
        wait_until(lambda: self.total("millrace_cache_refreshes_total", [self.server], reason="stale", result="ok") >= 1 or
                   self.price(301) is None, 10, "nothing was read anew")
        wait_until(lambda: self.price(301).json[0]["stock"] == 31337, 5, "the old value stayed")
        self.assertGreaterEqual(self.total("millrace_cache_requests_total", result="stale", reason="revalidating"), 1)

    def test_own_writes_are_never_hidden_by_a_stale_answer(self):
        for value in range(5):
            self.price(302), self.price(302)
            token = self.send("PATCH", "/v1/products?id=eq.302", {"stock": value}).headers["consistency-token"]
            for replica in self.cluster.replicas:
                self.assertEqual(self.price(302, replica, Consistency_Token=token).json, [{"stock": value}])

    def test_without_postgres_what_is_kept_is_given_and_says_so(self):
        self.price(303), self.price(303)
        other = self.cluster.replicas[1]
        self.postgres.stop()
        try:
            wait_until(lambda: self.server.admin("/readyz").json["cache"] == "unfenced", 20, "still fenced")
            given = self.price(303)
            self.assertEqual(given.status, 200)
            self.assertRegex(given.headers["cache-status"], r"^millrace; fwd=stale; ttl=-\d+; detail=stale-if-error$")
            self.assertLessEqual(int(given.headers["age"]), 300)
            wait_until(lambda: other.admin("/readyz").json["cache"] == "unfenced", 20, "still fenced")
            self.assertEqual(self.price(303, other).status, 200, "from Redis")
            self.assertEqual(self.price(304).status, 503, "never read")
            self.assertEqual(self.price(303, Consistency_Token="9999999999").status, 503, "the caller has seen more")
        finally:
            self.postgres.start()
        wait_until(lambda: self.server.admin("/readyz").json["cache"] == "fenced", 30, "not fenced again")
        self.assertGreater(self.total("millrace_unfenced_seconds_total"), 0)


class Purges(Tiered):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql("grant usage on schema millrace to shop_api; "
                         "grant execute on function millrace.purge(text[]) to shop_api", "shop")

    def purge(self, order, replica=None):
        return (replica or self.server).admin("/cache/purge", "POST", headers={"Content-Type": "application/json"}, body=order)

    def warm(self, path):
        for replica in self.cluster.replicas:
            wait_until(lambda r=replica: "hit" in self.status(path, r), 5, "never a hit")

    def gone(self, path):
        for replica in self.cluster.replicas:
            wait_until(lambda r=replica: "hit" not in self.status(path, r, Cache_Control="x") or
                       int(r.request(path).headers["age"]) < 2, 5, "still there")

    def test_every_kind_reaches_every_replica(self):
        path, other = "/v1/products?id=eq.401&select=id", "/v1/categories?select=id&order=id"
        for order in ({"tags": ["shop.products"]}, {"route": "v1/products"}, {"version": "v1"}, {"all": True}):
            with self.subTest(order):
                self.warm(path), self.warm(other)
                time.sleep(2.1)  # so that an answer's Age tells whether it was read before
                fills = self.total("millrace_cache_fills_total")
                answer = self.purge({**order, "hard": True})
                self.assertEqual(answer.status, 200, answer.text)
                self.assertRegex(answer.json["xid"], r"^\d+$")
                self.gone(path)
                self.assertGreater(self.total("millrace_cache_fills_total"), fills)
                if "version" not in order and "all" not in order:
                    self.assertIn("hit", self.status(other), "another route's")

    def test_soft_leaves_what_may_be_given_stale_and_hard_does_not(self):
        path = "/v1/products?id=eq.402&select=id"
        self.warm(path)
        self.purge({"route": "v1/products"})
        self.assertRegex(self.status(path), r"hit; ttl=-\d")
        self.warm(path)
        self.purge({"route": "v1/products", "hard": True})
        self.assertIn("fwd=uri-miss", self.status(path))

    def test_what_is_wrong_is_said(self):
        for order in ({}, {"tags": []}, {"tags": ["a b"]}, {"tag": ["a"]}, {"all": False}, {"all": True, "route": "v1/x"}, [],
                      {"route": 7}, {"route": "v1/products", "hard": 1}):
            with self.subTest(order):
                answer = self.purge(order)
                self.assertEqual((answer.status, answer.json["code"]), (400, "PGRST102"), answer.text)
        self.assertEqual(self.server.admin("/cache/purge").status, 405)
        self.assertEqual(self.server.admin("/cache/purge", "POST", headers={"Content-Type": "text/plain"}, body="{}").status, 415)

    def test_the_command_line_does_the_same(self):
        env = {"MILLRACE_DATABASE_URL": self.postgres.url("shop"), "MILLRACE_ADMIN": f"127.0.0.1:{self.server.admin_port}"}
        run = lambda *words: command(["cache", *words, "--config", ROOT / "config" / "millrace.json"], env=env, capture_output=True)  # noqa: E731
        stats = run("stats")
        self.assertEqual(stats.returncode, 0, stats.stderr)
        told = json.loads(stats.stdout)
        self.assertTrue(told["fenced"])
        self.assertEqual(set(told), {"entries", "bytes", "fills_in_flight", "requests", "hit_ratio", "fenced", "lag_ms", "epoch"})
        self.assertEqual(run("purge", "--route", "v1/products", "--hard").returncode, 0)
        self.assertEqual(run("purge").returncode, 2)
        self.assertEqual(run("nonsense").returncode, 2)


class NewReplica(Tiered):
    def test_it_uses_what_the_others_stored_before_it_listened(self):
        paths = [f"/v1/products?id=eq.{number}&select=id,name" for number in range(501, 581)]
        old, new = self.cluster.replicas[0], self.cluster.replicas[1]
        for path in paths:
            old.request(path)
        time.sleep(3)  # for the states to be published at least once
        new.restart()
        wait_until(lambda: new.admin("/readyz").json.get("cache") == "fenced", 20, "not fenced")
        left = iter(paths)
        wait_until(lambda: "detail=redis" in self.status(next(left), new), 20, "older entries of Redis are never of use", 0.3)


class Checked(Tiered):
    replicas = 1
    env = {**Tiered.env, "MILLRACE_CACHE_CHECK_PER_MILLION": 1000000}

    def inconsistent(self):
        return self.total("millrace_cache_inconsistent_total")

    def test_it_finds_what_was_changed_past_the_triggers_and_nothing_else(self):
        for number in range(30):
            self.sql(f"update shop.products set stock = {number} where id = 601")
            for _ in range(5):
                self.price(601)
        wait_until(lambda: self.price(601) and self.total("millrace_cache_checks_total", result="same") >= 1, 20, "no check")
        self.assertEqual(self.inconsistent(), 0)
        path = "/v1/categories?select=name&id=eq.1"
        # Past DDL, which would be noticed: the next session that writes finds the triggers switched off.
        self.sql("update pg_trigger set tgenabled = 'D' where tgrelid = 'shop.categories'::regclass and not tgisinternal")
        wait_until(lambda: "hit" in self.status(path), 10, "never a hit")
        self.sql("update shop.categories set name = 'Planted' where id = 1")
        wait_until(lambda: self.status(path) and self.inconsistent() >= 1, 30, "the planted one was not found")


if __name__ == "__main__":
    main()

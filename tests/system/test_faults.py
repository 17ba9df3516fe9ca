"""Backends that go away under load: what clients see, and that everything comes back by itself."""
import time

from harness import Readers, SystemTest, main

from stack import Millrace, wait_until  # noqa: E402


class Faults(SystemTest):
    env = {"MILLRACE_LIMITS_DEADLINE_MS": 3000}
    paths = [f"/v1/products?id=eq.{n}" for n in range(1, 200)]
    uncached = [f"/v1/orders?id=eq.{n}" for n in range(1, 200)]

    def test_redis_killed_under_load_costs_no_request(self):
        with Readers(self.server.port, self.paths) as readers:
            self.cluster.redis.kill9()
            at_death = readers.total()
            wait_until(lambda: readers.total() > at_death + 200, 20, "readers are stuck")
            wait_until(lambda: self.server.admin("/readyz").json["redis"] == "down", 10, "nobody noticed")
            self.assertIn("millrace_backend_up{backend=\"redis\"} 0", self.server.admin("/metrics").text)
            self.cluster.redis.start()
            wait_until(lambda: self.server.admin("/readyz").json["redis"] == "up", 20, "Redis did not come back")
        self.assertEqual(readers.failures, [])

    def test_postgres_restarted_under_load_gives_answers_or_honest_503s(self):
        with Readers(self.server.port, self.uncached) as readers:
            self.postgres.restart()
            wait_until(lambda: self.get("/v1/orders?id=eq.1").status == 200, 30, "Postgres did not come back")
            after = readers.total()
            wait_until(lambda: readers.total() > after + 200, 20, "readers are stuck")
        self.assertLessEqual(set(readers.counts), {200, 503}, readers.counts)
        wait_until(lambda: self.server.admin("/readyz").json["cache"] == "fenced", 15, "the cache stayed off")

    def test_a_value_changed_while_nobody_listened_is_not_served_from_the_cache(self):
        path = "/v1/products?id=eq.300&select=stock"
        self.get(path), self.get(path)
        # The listener is dead before the write commits, so its notification reaches nobody.
        self.sql("begin; update shop.products set stock = 31337 where id = 300; "
                 "select pg_terminate_backend(pid) from pg_stat_activity "
                 "where pid <> pg_backend_pid() and application_name ~ 'millrace'; commit")
        wait_until(lambda: self.get(path).json == [{"stock": 31337}], 3, "the old value outlived the gap")

    def test_a_slow_statement_is_ended_at_its_deadline_and_cancelled(self):
        self.sql("create view shop.sleepy as select 1 as id, pg_sleep(60)::text as slept; "
                 "grant select on shop.sleepy to shop_anonymous; notify millrace, 'reload schema'")
        try:
            wait_until(lambda: self.send("OPTIONS", "/v1/sleepy").status == 200, 10, "the view is not there")
            began = time.monotonic()
            self.assert_error(self.get("/v1/sleepy"), 504, "MR023")
            self.assertLess(time.monotonic() - began, 6)
            sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
            wait_until(lambda: self.sql(sleeping) == "0", 5, "it still sleeps")
        finally:
            self.sql("drop view shop.sleepy; notify millrace, 'reload schema'")


class WithoutPostgres(SystemTest):
    """A replica that starts before its database."""

    def test_it_starts_says_so_and_serves_when_the_database_comes(self):
        port = self.postgres.port
        self.postgres.stop()
        early = Millrace(self.directory, self.postgres.url("shop", "shop_api"), name="early", env={"MILLRACE_WORKERS": 1})
        early.start(wait=False)
        try:
            wait_until(early.live, 15, "it does not live")
            ready = early.admin("/readyz")
            self.assertEqual((ready.status, ready.json["catalog"]), (503, "missing"))
            refused = early.request("/v1/products?id=eq.1")
            self.assert_error(refused, 503, "PGRST002")
            self.assertIn("retry-after", refused.headers)
            self.postgres.start()
            self.assertEqual(self.postgres.port, port)
            early.wait_ready(30)
            wait_until(lambda: early.request("/v1/products?id=eq.1").status == 200, 10, "it does not serve")
        finally:
            self.assertEqual(early.stop(), 0)


if __name__ == "__main__":
    main()

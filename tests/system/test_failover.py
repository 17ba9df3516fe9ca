"""Postgres that hangs, moves or is promoted: who is asked meanwhile, what is tried again, and that nobody has to restart anything."""
import json
import socket
import threading
import time
from pathlib import Path

from harness import SystemTest, main, wait_until

from stack import Millrace, Standby, free_port  # noqa: E402

TABLE = {"version": "v1", "schema": "shop", "expose": "schema", "defaults": {"reads": "standby"}, "resources": {"categories": {"reads": "primary"}}}


def write_config(directory):
    folder = Path(directory)
    (folder / "v1.json").write_text(json.dumps(TABLE))
    (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json"]}))
    return folder / "millrace.json"


def timed(server, path, **options):
    began = time.monotonic()
    answer = server.request(path, **options)
    return answer, time.monotonic() - began


class Address:
    """An address that leads to one server or another, as a virtual IP or a name does; what is connected stays where it is."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


class Silent(SystemTest):
    """A Postgres that takes connections and says nothing."""

    config = staticmethod(write_config)
    env = {"MILLRACE_LIMITS_DEADLINE_MS": 1000, "MILLRACE_LIMITS_BREAKER_FAILURES_MAX": 3, "MILLRACE_LIMITS_BREAKER_OPEN_MS": 500,
           "MILLRACE_LIMITS_ADAPTIVE": "false"}

    def breaker(self, name="open"):
        metrics = self.server.metrics()
        return metrics.get(f'millrace_breakers_{name}{{backend="postgres"}}', 0)

    def test_requests_fail_at_once_after_a_few_have_waited_in_vain(self):
        self.assertEqual(self.get("/v1/orders?id=eq.1").status, 200)
        opened = self.breaker("opened_total")
        self.postgres.pause()
        try:
            for number in range(3):
                answer, took = timed(self.server, f"/v1/orders?id=eq.{number + 2}")
                self.assertIn(answer.status, (503, 504), answer.text)
                self.assertGreater(took, 0.9, "it did not wait for Postgres")
            wait_until(lambda: self.breaker() == 1, 5, "the breaker did not open")
            quick, probes = 0, 0
            for number in range(20):
                answer, took = timed(self.server, f"/v1/orders?id=eq.{number + 10}")
                self.assertIn(answer.status, (503, 504))
                if answer.status == 503:
                    self.assertIn("retry-after", answer.headers)
                if took < 0.1:
                    quick += 1
                    self.assert_error(answer, 503, "MR053")
                else:
                    probes += 1
            self.assertGreaterEqual(quick, 14, "requests waited for a Postgres that does not answer")
            self.assertGreater(quick, probes)
        finally:
            self.postgres.resume()
        wait_until(lambda: self.get("/v1/orders?id=eq.1").status == 200, 15, "it did not come back")
        wait_until(lambda: self.breaker() == 0, 5, "the breaker stayed open")
        self.assertGreater(self.breaker("opened_total"), opened)
        self.assertIn('"event":"breaker"', self.server.log_text())

    def test_what_postgres_refuses_or_takes_long_for_does_not_open_it(self):
        opened = self.breaker("opened_total")
        for number in range(10):
            self.assertEqual(self.get(f"/v1/orders?id=eq.no{number}").status, 400)
        self.sql("create function shop.dawdle() returns int language sql stable as 'select 1 from pg_sleep(30)'; "
                 "grant execute on function shop.dawdle() to shop_anonymous; notify millrace, 'reload schema'")
        wait_until(lambda: self.send("OPTIONS", "/v1/rpc/dawdle").status == 200, 10, "the function is not there")
        for _ in range(4):
            waiting = [threading.Thread(target=self.get, args=("/v1/rpc/dawdle",)) for _ in range(2)]
            for one in waiting:
                one.start()
            for number in range(5):
                self.assertEqual(self.get(f"/v1/orders?id=eq.{number + 100}").status, 200)
                time.sleep(0.1)
            for one in waiting:
                one.join()
        self.assertEqual(self.breaker("opened_total"), opened)


class Moves(SystemTest):
    """The address of the primary leads to a standby for a while."""

    config = staticmethod(write_config)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.standby = Standby(cls.postgres, cls.directory, free_port()).start()
        cls.addClassCleanup(cls.standby.stop)
        cls.standby.catch_up()

    def lanes_at(self, server):
        return int(server.sql("select count(*) from pg_stat_activity where application_name = 'millrace' and usename = 'shop_api'"))

    def test_a_write_that_a_standby_refused_is_sent_to_the_primary(self):
        address = Address(self.postgres.port)
        self.addCleanup(address.close)
        moved = Millrace(self.directory, f"postgresql://shop_api@127.0.0.1:{address.port}/shop", name="moved", config=self.server.config,
                         env={"MILLRACE_WORKERS": 1})
        self.addCleanup(moved.stop)
        moved.start()
        wait_until(lambda: moved.request("/v1/categories?limit=1").status == 200, 10, "it does not serve")

        def patch(stock):
            return moved.request("/v1/products?id=eq.21", method="PATCH", body={"stock": stock})
        self.assertEqual(patch(1).status, 204)
        address.target = self.standby.port
        self.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'millrace' and usename = 'shop_api'")
        wait_until(lambda: self.lanes_at(self.standby) >= 6, 20, "the lanes are not at the standby")
        refused = patch(2)
        self.assert_error(refused, 503, "PGRST001")
        self.assertIn("retry-after", refused.headers)
        self.assertEqual(moved.request("/v1/categories?limit=1").status, 200, "reads go on")
        wait_until(lambda: self.lanes_at(self.standby) >= 6, 20, "the lanes are not back at the standby")
        time.sleep(1.1)  # lanes look for another server once a second at most
        address.target = self.postgres.port
        self.assertEqual(patch(3).status, 204)
        self.assertEqual(self.sql("select stock from shop.products where id = 21"), "3")
        # The others know without a write each.
        wait_until(lambda: self.lanes_at(self.standby) == 0, 10, "lanes stayed at the standby")
        for stock in range(4, 30):
            self.assertEqual(patch(stock).status, 204)

    def test_reads_that_try_to_write_are_the_callers_mistake(self):
        self.sql("create sequence shop.sly_numbers; grant usage on sequence shop.sly_numbers to shop_anonymous; "
                 "create function shop.sly() returns int language sql stable as 'select nextval(''shop.sly_numbers'')::int'; "
                 "grant execute on function shop.sly() to shop_anonymous; notify millrace, 'reload schema'")
        wait_until(lambda: self.send("OPTIONS", "/v1/rpc/sly").status == 200, 10, "the function is not there")
        began = "select max(backend_start) from pg_stat_activity where application_name = 'millrace' and usename = 'shop_api'"
        before = self.sql(began)
        for _ in range(3):
            self.assert_error(self.get("/v1/rpc/sly"), 405, "25006")
        self.assertEqual(self.sql(began), before, "lanes were connected anew")


class Promoted(SystemTest):
    """A URL of both: who takes writes is the primary."""

    config = staticmethod(write_config)

    def test_the_next_primary_is_found_without_a_restart(self):
        standby = Standby(self.postgres, self.directory, free_port()).start()
        self.addCleanup(standby.stop)
        standby.catch_up()
        # The standby is named first: it must not be taken for the primary.
        url = f"postgresql://shop_api@127.0.0.1:{standby.port},127.0.0.1:{self.postgres.port}/shop"
        both = Millrace(self.directory, url, name="both", config=self.server.config, env={"MILLRACE_WORKERS": 1})
        self.addCleanup(both.stop)
        both.start()
        wait_until(lambda: both.admin("/readyz").json.get("cache") == "fenced", 20, "the listener is not at the primary")

        def patch(stock):
            return both.request("/v1/products?id=eq.31", method="PATCH", body={"stock": stock})
        self.assertEqual(patch(1).status, 204)
        standby.catch_up()
        self.postgres.kill9()
        refused = patch(2)
        self.assertEqual(refused.status, 503, refused.text)
        self.assertIn("retry-after", refused.headers)
        standby.promote()
        wait_until(lambda: patch(3).status == 204, 20, "the new primary was not found")
        wait_until(lambda: both.request("/v1/products?id=eq.31&select=stock").json == [{"stock": 3}], 20,
                   "fast lanes, which connect by themselves, did not find it")
        self.assertEqual(standby.sql("select stock from shop.products where id = 31", "shop"), "3")
        wait_until(lambda: both.admin("/readyz").json.get("cache") == "fenced", 20, "the cache stayed off")


class Several(SystemTest):
    """Two standbys and an address where there is none."""

    config = staticmethod(write_config)

    @classmethod
    def setUpClass(cls):
        cls.ports = [free_port(), free_port()]
        hosts = ",".join(f"127.0.0.1:{port}" for port in [*cls.ports, free_port()])
        cls.env = {"MILLRACE_DATABASE_STANDBY_URL": f"postgresql://shop_api@{hosts}/shop", "MILLRACE_LIMITS_DEADLINE_MS": 4000,
                   "MILLRACE_LIMITS_BREAKER_FAILURES_MAX": 2}
        super().setUpClass()
        cls.standbys = []
        for number, port in enumerate(cls.ports):
            standby = Standby(cls.postgres, cls.directory, port, name=f"standby{number}").start()
            cls.addClassCleanup(standby.stop)
            standby.catch_up()
            cls.standbys.append(standby)
        for standby in cls.standbys:
            wait_until(lambda s=standby: cls.lanes_at(s) >= 6, 20, "no lanes to a standby")

    @staticmethod
    def lanes_at(server):
        return int(server.sql("select count(*) from pg_stat_activity where application_name = 'millrace'"))

    def counts(self):
        metrics = self.server.metrics()
        return {result: metrics.get(f'millrace_standby_reads_total{{result="{result}"}}', 0) for result in ("used", "behind", "failed", "down")}

    def reads(self, numbers):
        """What became of the reads at the standbys."""
        before = self.counts()
        for number in numbers:
            answer = self.get(f"/v1/orders?id=eq.{number}&select=id")
            self.assertEqual((answer.status, answer.json), (200, [{"id": number}]))
        return {result: count - before[result] for result, count in self.counts().items() if count != before[result]}

    def asked(self, standby):
        """Statements of lanes that a standby has run since it began, as far as its statistics tell."""
        standby.sql("select pg_stat_clear_snapshot()")
        return int(standby.sql("select xact_commit from pg_stat_database where datname = 'shop'"))

    def setUp(self):
        for standby in self.standbys:
            standby.resume_replay()
            standby.catch_up()

    def test_reads_are_spread(self):
        before = [self.asked(standby) for standby in self.standbys]
        self.assertEqual(self.reads(range(1, 61)), {"used": 60})
        for standby, asked in zip(self.standbys, before):
            wait_until(lambda s=standby, a=asked: self.asked(s) - a >= 20, 15, f"{standby.name} was asked for next to nothing")

    def test_one_that_is_behind_or_away_is_passed_by(self):
        first, second = self.standbys
        first.pause_replay()
        self.sql("update shop.orders set note = 'moved on' where id <= 300")
        second.catch_up()
        wait_until(lambda: self.reads([1]).get("used") == 1, 10, "the other one was not asked")
        made = self.reads(range(101, 161))
        self.assertEqual(made["used"], 60, made)
        first.resume_replay()
        first.catch_up()
        second.stop()
        try:
            made = self.reads(range(161, 221))
            self.assertGreaterEqual(made["used"], 60 - 1, made)
            first.stop()
            made = self.reads(range(221, 261))
            self.assertNotIn("used", made)
            self.assertGreaterEqual(made["down"], 30, made)
        finally:
            first.start()
            second.start()
        for standby in self.standbys:
            wait_until(lambda s=standby: self.lanes_at(s) >= 6, 30, "a standby is not used again")
        wait_until(lambda: self.reads([1]).get("used") == 1, 10, "never used again")

    def test_one_that_is_silent_is_left_alone(self):
        first, second = self.standbys
        first.pause()
        try:
            for number in range(301, 331):
                self.assertEqual(self.get(f"/v1/orders?id=eq.{number}&select=id", timeout_s=20).status, 200)
                if self.server.metrics().get('millrace_breakers_open{backend="standby"}', 0) == 1:
                    break
            took = []
            for number in range(331, 351):
                answer, seconds = timed(self.server, f"/v1/orders?id=eq.{number}&select=id", timeout_s=20)
                self.assertEqual(answer.status, 200)
                took.append(seconds)
            self.assertLess(sorted(took)[len(took) // 2], 0.2, took)
        finally:
            first.resume()
        wait_until(lambda: self.server.metrics().get('millrace_breakers_open{backend="standby"}', 0) == 0, 20, "it stays alone")


if __name__ == "__main__":
    main()

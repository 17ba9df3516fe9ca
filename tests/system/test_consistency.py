"""Three replicas, Postgres with a standby, Redis and HAProxy: writes and reads go on while everything breaks in turn, and the
whole history is then held against what the cache promises (history.py).

CONSISTENCY_SECONDS: how long each disturbance is watched (3); CONSISTENCY_ROUNDS: how often the row of them is gone through (1);
CONSISTENCY_SEED: what is drawn at random; CONSISTENCY_ONLY: one of them alone ("a replica is paused").
"""
import http.client
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import traffic  # noqa: E402
from history import ANY_REPLICA, judge  # noqa: E402
from stack import Cluster, Standby, free_port, migrate, request, wait_until  # noqa: E402

SECONDS = float(os.environ.get("CONSISTENCY_SECONDS", "3"))
ROUNDS = int(os.environ.get("CONSISTENCY_ROUNDS", "1"))
SEED = int(os.environ.get("CONSISTENCY_SEED", random.SystemRandom().randrange(1_000_000)))
ONLY = os.environ.get("CONSISTENCY_ONLY", "")
HEARTBEAT_MS, LAG_LIMIT_MS = 200, 1000
BOUND_S = LAG_LIMIT_MS / 1000  # docs/cache.md: no answer from the cache is older than lag_limit_ms


class Ports:
    """Each replica has both databases in its URL, and asks whichever takes writes: so their ports are chosen first."""

    def __init__(self):
        self.chosen = {}

    def get(self, name):
        return self.chosen.setdefault(name, free_port())


class Consistency(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.mkdtemp(prefix="millrace-test-")
        cls.addClassCleanup(shutil.rmtree, directory, ignore_errors=True)
        ports = Ports()
        hosts = f"127.0.0.1:{ports.get('postgres')},127.0.0.1:{ports.get('standby')}"
        settings = {"MILLRACE_CACHE_HEARTBEAT_MS": HEARTBEAT_MS, "MILLRACE_CACHE_LAG_LIMIT_MS": LAG_LIMIT_MS,
                    "MILLRACE_LIMITS_DEADLINE_MS": 4000, "MILLRACE_LOG_ACCESS": "false",
                    "MILLRACE_DATABASE_URL": f"postgresql://shop_api@{hosts}/shop?target_session_attrs=read-write"}
        cls.cluster = Cluster(directory, products=100, env=settings, ports=ports)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()
        cls.postgres, cls.replicas = cls.cluster.postgres, cls.cluster.replicas
        cls.postgres.sql(traffic.TABLES, "shop")
        migrate(cls.postgres)
        cls.standby = Standby(cls.postgres, directory, ports.get("standby"))
        cls.addClassCleanup(cls.standby.stop)
        cls.standby.start()
        cls.postgres.sql("notify millrace, 'reload schema'", "shop")
        for replica in cls.replicas:
            cls.wait_cached(replica)

    @staticmethod
    def wait_cached(replica, timeout_s=30):
        """Until both tables are served from the cache."""
        def hit(path):
            try:
                return "hit" in replica.request(path).headers.get("cache-status", "")
            except (OSError, http.client.HTTPException):
                return False
        for path in ("/v1/counters?id=eq.0", "/v1/readings?series=eq.0"):
            wait_until(lambda p=path: hit(p), timeout_s, f"{replica.name} does not cache {path}", 0.05)

    @staticmethod
    def wait_fenced(replica, timeout_s=30):
        wait_until(lambda: replica.admin("/readyz").json["cache"] == "fenced", timeout_s, f"{replica.name} is not fenced", 0.1)

    # What breaks.
    def nothing(self):
        time.sleep(SECONDS)

    def redis_is_killed(self):
        self.cluster.redis.kill9()
        time.sleep(SECONDS / 2)
        self.cluster.redis.start()
        time.sleep(SECONDS / 2)

    def redis_is_flushed(self):
        for _ in range(5):
            self.cluster.redis.call("FLUSHALL")
            time.sleep(SECONDS / 5)

    def a_replica_is_killed(self):
        replica = self.random.choice(self.replicas)
        replica.kill9()
        self.restarted(replica)
        time.sleep(SECONDS / 3)
        replica.start()
        time.sleep(SECONDS / 3)

    def nobody_listens(self):
        for _ in range(3):
            self.postgres.sql("select pg_terminate_backend(pid) from pg_stat_activity where query ~* '^ *(listen|notify)' "
                              "or (query ~ 'pg_current_snapshot' and application_name ~ 'millrace' and pid <> pg_backend_pid())")
            time.sleep(SECONDS / 3)

    def postgres_is_restarted(self):
        self.postgres.restart()
        time.sleep(SECONDS)

    def a_replica_is_paused(self):
        """It wakes with questions and with an invalidation in its sockets, and must not answer the ones before it has read the
        other: what was still true when it fell asleep has been false for longer than the bound. Each one in turn, since which of
        its threads runs first is chance."""
        for replica in self.replicas:
            session = next(reader.session for reader in self.readers if reader.place == replica.name)
            askers = [traffic.Reader(self.history, self.random.random(), replica.name, replica.port, paths=[traffic.QUIET])
                      for _ in range(40)]
            for reader in askers:
                reader.session = session
                self.ask_once(reader)  # so that it is connected, and the answer is kept
            replica.pause()
            write = self.history.begin("level 1", "psql")
            self.postgres.sql(f"update shop.levels set value = {write.value}", "shop")
            self.history.acknowledge(write)
            time.sleep(1.2 * BOUND_S)
            threads = [threading.Thread(target=self.ask_once, args=(reader,)) for reader in askers]
            for thread in threads:
                thread.start()
            time.sleep(0.2)
            replica.resume()
            for thread, reader in zip(threads, askers):
                thread.join(10)
                reader.disconnect()

    def ask_once(self, reader):
        try:
            reader.step()
        except (OSError, http.client.HTTPException, ValueError):
            self.history.failed()

    def the_primary_is_lost(self):
        """What the standby had not received is forgotten, and its xids are used again."""
        self.standby.catch_up()
        self.standby.kill9()
        time.sleep(SECONDS / 3)  # what is written now will be lost
        for writer in self.writers:
            writer.paused.set()
        time.sleep(0.3)
        self.postgres.kill9()
        self.standby.start()
        self.standby.promote()
        self.postgres = self.standby
        moment = time.monotonic()
        self.history.forget(self.stored(), moment)
        for writer in self.writers:
            writer.disconnect()
            writer.postgres = self.standby
            writer.paused.clear()
        time.sleep(SECONDS)

    def restarted(self, replica):
        for reader in self.readers:
            if reader.place == replica.name:
                reader.session += 1

    def stored(self):
        rows = self.postgres.sql("select 'counter ' || id, value from shop.counters union all "
                                 "select 'level ' || id, value from shop.levels union all "
                                 "select 'series ' || series, max(value) from shop.readings group by series", "shop")
        return {row: int(value) for row, value in (line.split("|") for line in rows.splitlines())}

    # The run.
    def start_traffic(self):
        seeds = iter(range(SEED * 100, SEED * 100 + 100))
        api = [replica.port for replica in self.replicas] + [self.cluster.balancer.port]
        self.history = traffic.History()
        self.writers = [traffic.ApiWriter(self.history, next(seeds), api),
                        traffic.PsqlWriter(self.history, next(seeds), self.postgres),
                        traffic.CopyWriter(self.history, next(seeds), self.postgres)]
        self.readers = [traffic.Reader(self.history, next(seeds), replica.name, replica.port, tokens)
                        for replica in self.replicas for tokens in (False, True)]
        self.readers.append(traffic.Reader(self.history, next(seeds), "haproxy", self.cluster.balancer.port))
        self.readers[-1].session = ANY_REPLICA
        for worker in self.writers + self.readers:
            worker.start()

    def test_no_answer_breaks_a_promise_while_everything_breaks_in_turn(self):
        print(f"\nseed {SEED}", flush=True)
        self.random = random.Random(SEED)
        self.start_traffic()
        marks = []
        self.addCleanup(self.end_traffic)
        disturbances = [self.nothing, self.redis_is_killed, self.redis_is_flushed, self.a_replica_is_killed, self.nobody_listens,
                        self.postgres_is_restarted, self.a_replica_is_paused]
        for disturbance in disturbances * ROUNDS + [self.the_primary_is_lost]:
            name = disturbance.__name__.replace("_", " ")
            if ONLY not in ("", name):
                continue
            marks.append((name, time.monotonic()))
            disturbance()
            print(f"{marks[-1][0]}: {time.monotonic() - marks[-1][1]:.1f} s", flush=True)
            for replica in self.replicas:
                self.wait_fenced(replica)
        self.end_traffic()
        self.nothing_stays_stale()
        verdict = judge(self.history.writes, self.history.reads, BOUND_S)
        self.report(verdict, marks)
        some = [str(next(v for v in verdict.violations if v.rule == rule)) for rule in {v.rule for v in verdict.violations}]
        self.assertEqual(some, [], f"{len(verdict.violations)} violations in all")
        self.assertGreater(verdict.hits, verdict.reads / 10, "the cache was hardly used")
        self.assertGreater(sum(read.token_value > 0 for read in self.history.reads), 100, "tokens were hardly used")

    def end_traffic(self):
        for worker in self.writers + self.readers:
            worker.over.set()
        for worker in self.writers + self.readers:
            worker.join(15)

    def nothing_stays_stale(self):
        """When all is quiet, every replica says what is stored, from its cache as well."""
        time.sleep(BOUND_S)
        stored = self.stored()
        for replica in self.replicas:
            for path in [*traffic.PATHS, traffic.QUIET] * 2:
                for row in request(replica.port, path).json:
                    name = traffic.name_of(path, row)
                    self.assertEqual(row["value"], stored[name], f"{name} at {replica.name}")

    def report(self, verdict, marks):
        ends = [moment for _, moment in marks[1:]] + [float("inf")]
        print(f"{'':22} {'reads':>7} {'hits':>7} {'writes':>7} {'older, s':>9}")
        for (name, begun), end in zip(marks, ends):
            reads = [read for read in self.history.reads if begun <= read.sent < end]
            writes = [write for write in self.history.writes if begun <= write.begun < end]
            oldest = max(judge(self.history.writes, [r for r in reads if r.hit], BOUND_S).staleness_s, default=0)
            print(f"{name:22} {len(reads):7} {sum(read.hit for read in reads):7} {len(writes):7} {oldest:9.3f}")
        kinds = Counter(write.how for write in self.history.writes)
        print(f"{verdict.reads} answers, {verdict.hits} from a cache, {self.history.errors} failed; writes {dict(kinds)}; "
              f"bound {BOUND_S} s, oldest answer {max(verdict.staleness_s, default=0):.3f} s; "
              f"violations {dict(Counter(v.rule for v in verdict.violations))}", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")

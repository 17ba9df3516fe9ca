"""The shared cache behind sentinels and in a cluster: it is used, it fails over, and no request is the worse for it."""
import tempfile
import unittest

from harness import Readers, SystemTest, main

from stack import RedisCluster, RedisWatched, wait_until  # noqa: E402


class Topology(SystemTest):
    replicas = 2
    make = None  # staticmethod(directory → what stands behind the URL)

    @classmethod
    def setUpClass(cls):
        if cls.make is None:
            raise unittest.SkipTest("it is what the others share")
        cls.redis = cls.make(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="millrace-redis-")))
        cls.redis.start()
        cls.addClassCleanup(cls.redis.stop)
        cls.env = {"MILLRACE_REDIS_URL": cls.redis.url, "MILLRACE_REDIS_BUDGET_MS": 500}
        super().setUpClass()
        cls.wait_for_redis("up", 30)

    @classmethod
    def wait_for_redis(cls, state, timeout_s=60):
        for replica in cls.cluster.replicas:
            wait_until(lambda r=replica: r.admin("/readyz").json["redis"] == state, timeout_s, f"Redis is not {state}")

    def found_in_redis(self, number):
        """One replica reads, the other finds it in Redis."""
        path = f"/v1/products?id=eq.{number}"
        first, second = self.cluster.replicas
        first.request(path)
        return "detail=redis" in second.request(path).headers["cache-status"]

    def assert_shared(self, numbers):
        found = sum(self.found_in_redis(number) for number in numbers)
        self.assertGreater(found, len(numbers) * 0.8, "the replicas do not share")


class Cluster(Topology):
    make = RedisCluster

    def wait_for_whole(self, value):
        line = f'millrace_backend_up{{backend="redis"}} {value}'
        for replica in self.cluster.replicas:
            wait_until(lambda r=replica: line in r.admin("/metrics").text, 60, f"there is no {line}")

    def test_entries_are_shared_from_every_node_and_a_dead_one_costs_no_request(self):
        self.assert_shared(range(1, 61))
        for server in self.redis.servers:
            self.assertNotEqual(server.call("DBSIZE"), ":0")
        dead = self.redis.servers[1]
        with Readers(self.server.port, [f"/v1/products?id=eq.{number}" for number in range(100, 400)]) as readers:
            dead.kill9()
            self.wait_for_whole(0)
            self.assertEqual(self.server.admin("/readyz").json["redis"], "up")
            before = readers.total()
            wait_until(lambda: readers.total() > before + 300, 30, "the readers stand still")
            dead.start()
            self.wait_for_whole(1)
        # A master that comes back answers CLUSTERDOWN until it knows that nobody took its place.
        wait_until(lambda: self.redis.whole(dead), 30, "the node is not back in the cluster")
        self.assertEqual(readers.failures, [])
        self.assert_shared(range(400, 460))


class Sentinel(Topology):
    make = RedisWatched

    def test_another_master_takes_over_and_no_request_fails(self):
        self.assert_shared(range(1, 21))
        with Readers(self.server.port, [f"/v1/products?id=eq.{number}" for number in range(100, 400)]) as readers:
            self.redis.master.kill9()
            self.wait_for_redis("down")
            self.wait_for_redis("up")
        self.assertEqual(readers.failures, [])
        self.assertIn("role:master", self.redis.replica.call("INFO", "replication"))
        self.assert_shared(range(400, 420))


if __name__ == "__main__":
    main()

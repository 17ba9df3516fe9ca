"""Three replicas behind HAProxy: one cache, and restarts one after the other that nobody notices."""
import os
import threading

from harness import SystemTest, main

from stack import Wrk, wait_until  # noqa: E402

SECONDS = int(os.environ.get("ROLLOUT_SECONDS", "30"))


class Behind(SystemTest):
    replicas = 3
    balanced = True

    def stock(self, replica, product):
        return replica.request(f"/v1/products?id=eq.{product}&select=stock").json[0]["stock"]

    def test_a_write_through_one_replica_is_read_from_the_others(self):
        a, b, c = self.cluster.replicas
        for value in range(10):
            for replica in (a, b, c):
                self.stock(replica, 7)
            self.assertEqual(a.request("/v1/products?id=eq.7", method="PATCH", body={"stock": 900 + value}).status, 204)
            for replica in (b, c):
                wait_until(lambda r=replica: self.stock(r, 7) == 900 + value, 2, "a replica kept the old value", 0.001)

    def test_a_write_by_psql_is_read_from_all(self):
        for replica in self.cluster.replicas:
            self.stock(replica, 8)
        self.sql("update shop.products set stock = 4321 where id = 8")
        for replica in self.cluster.replicas:
            wait_until(lambda r=replica: self.stock(r, 8) == 4321, 2, "a replica kept the old value")

    def test_reads_and_writes_pass_through_the_balancer(self):
        self.assertEqual(self.cluster.balancer.request("/v1/products?id=eq.9").status, 200)
        made = self.cluster.balancer.request("/v2/items", method="POST", body={"category_id": 1, "title": "x", "price": 1})
        self.assertEqual(made.status, 201)

    def test_replicas_restarted_one_after_the_other_under_load_fail_no_request(self):
        lua = "local n = 0\nrequest = function() n = n + 1; return wrk.format('GET', '/v1/products?id=eq.' .. (n % 900 + 1)) end"
        load = Wrk(self.cluster.balancer.base, SECONDS, connections=16, lua=lua)
        codes, over = [], threading.Event()

        def restart():
            while not over.is_set() and len(codes) < 30:
                codes.extend(self.cluster.rolling_restart())

        rollout = threading.Thread(target=restart)
        rollout.start()
        result = load.result()
        over.set()
        rollout.join(120)
        print(f"{result.requests} requests, {len(codes)} restarts")
        self.assertEqual(result.failed, 0, result)
        self.assertGreaterEqual(len(codes), 3)
        self.assertEqual(set(codes), {0})
        self.assertGreater(result.requests, 1000)


if __name__ == "__main__":
    main()

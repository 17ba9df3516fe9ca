"""Processes that serve a part of the routes, and HAProxy that sends each path to its group."""
import json
import os
import subprocess

from harness import SystemTest, main, wait_until

from stack import ROOT, Millrace, Process, answers, command, demo, free_port, request  # noqa: E402


class Groups(Process):
    """HAProxy with deploy/haproxy/groups.cfg."""

    def __init__(self, directory, orders, rest):
        super().__init__("haproxy-groups", directory)
        self.port, self.admin_port = free_port(), free_port()
        self.servers = {"ORDERS_1": orders[0], "ORDERS_2": orders[1], "REST_1": rest}

    def environment(self):
        found = {**os.environ, "HAPROXY_LISTEN": f"127.0.0.1:{self.port}", "HAPROXY_ADMIN": f"127.0.0.1:{self.admin_port}"}
        for name, replica in self.servers.items():
            found[f"MILLRACE_{name}"] = f"127.0.0.1:{replica.port}"
            found[f"MILLRACE_{name}_ADMIN_PORT"] = str(replica.admin_port)
        return found

    def command(self):
        return ["haproxy", "-db", "-q", "-f", str(ROOT / "deploy" / "haproxy" / "groups.cfg")]

    def ready(self):
        return answers(self.admin_port, "/livez")


class Parts(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.orders = [cls.part(f"orders{number}", "orders,order_items") for number in (1, 2)]
        cls.rest = cls.part("rest", "products,categories,v1/customers")

    @classmethod
    def part(cls, name, only):
        replica = Millrace(cls.directory, cls.postgres.url(demo.DATABASE, demo.ROLE), cls.cluster.redis.url, free_port(), free_port(),
                           cls.cluster.config, {"MILLRACE_WORKERS": 1, "MILLRACE_ONLY": only}, name)
        replica.start()
        cls.addClassCleanup(replica.stop)
        return replica

    def test_a_part_serves_its_routes_and_no_other(self):
        orders = self.orders[0]
        for path, status in (("/v1/orders?limit=1", 200), ("/v1/order_items?limit=1", 200), ("/v1/products?limit=1", 404),
                             ("/v1/nothing", 404)):
            self.assertEqual(orders.request(path).status, status, path)
        self.assertEqual(self.rest.request("/v1/products?limit=1").status, 200)
        self.assertEqual(self.rest.request("/v1/orders?limit=1").status, 404)
        self.assertEqual(self.get("/v1/orders?limit=1").status, 200)

    def test_embeds_reach_only_what_is_served(self):
        self.assertEqual(self.orders[0].request("/v1/orders?select=id,order_items(quantity)&limit=1").status, 200)
        answer = self.orders[0].request("/v1/order_items?select=order_id,products(name)&limit=1")
        self.assert_error(answer, 400, "PGRST200")
        self.assertEqual(self.get("/v1/order_items?select=order_id,products(name)&limit=1").status, 200)

    def test_openapi_shows_what_is_served(self):
        paths = set(self.orders[0].request("/v1/openapi.json").json["paths"])
        self.assertIn("/orders", paths)
        self.assertNotIn("/products", paths)

    def test_an_unknown_name_stops_the_start_with_a_suggestion(self):
        env = {"MILLRACE_DATABASE_URL": self.postgres.url(demo.DATABASE, demo.ROLE), "MILLRACE_ONLY": "ordres"}
        done = command(["check", "--config", self.cluster.config], env=env, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('"ordres"', done.stdout + done.stderr)
        self.assertIn("orders", done.stdout + done.stderr)

    def test_haproxy_sends_each_path_to_its_group(self):
        front = Groups(self.directory, self.orders, self.rest)
        checked = subprocess.run(["haproxy", "-c", *front.command()[3:]], env=front.environment(), capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        front.start()
        self.addCleanup(front.stop)
        wait_until(lambda: request(front.port, "/v1/orders?limit=1").status == 200, 10, "no orders")
        wait_until(lambda: request(front.port, "/v1/products?limit=1").status == 200, 10, "no products")
        for path in ("/v1/orders?limit=1", "/v1/order_items?limit=1", "/v1/customers?limit=1", "/v1/categories?limit=1"):
            self.assertEqual(request(front.port, path).status, 200, path)
        self.orders[0].stop()
        try:
            for _ in range(20):
                self.assertEqual(request(front.port, "/v1/orders?limit=1").status, 200)
        finally:
            self.orders[0].start()


if __name__ == "__main__":
    main()

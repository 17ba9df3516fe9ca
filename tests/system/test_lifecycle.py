"""Reload and drain under load, the admin listener, and the log."""
import json
import shutil
import signal
import tempfile
from pathlib import Path

from harness import Readers, SystemTest, main

from stack import ROOT, Millrace, wait_until  # noqa: E402


class Lifecycle(SystemTest):
    paths = [f"/v1/products?id=eq.{n}" for n in range(1, 100)] + [f"/v1/orders?id=eq.{n}" for n in range(1, 100)]

    def own_server(self, **env):
        """A replica of its own configuration files, so that a test may change them."""
        folder = Path(tempfile.mkdtemp(prefix="millrace-config-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        shutil.copytree(ROOT / "config", folder / "config")
        server = Millrace(folder, self.postgres.url("shop", "shop_api"), self.cluster.redis.url,
                          config=folder / "config" / "millrace.json", env={"MILLRACE_WORKERS": 2, **env})
        server.start()
        self.addCleanup(server.stop)
        return server, folder / "config"

    def test_a_new_route_table_is_used_without_dropping_a_request(self):
        server, config = self.own_server()
        table = config / "routes" / "v2.json"
        self.assertEqual(server.request("/v2/articles").status, 404)
        with Readers(server.port, self.paths) as readers:
            table.write_text(table.read_text().replace('"items": {', '"articles": {'))
            server.signal(signal.SIGHUP)
            wait_until(lambda: server.request("/v2/articles?limit=1").status == 200, 10, "the table was not reloaded")
            for _ in range(5):
                server.signal(signal.SIGHUP)
            after = readers.total()
            wait_until(lambda: readers.total() > after + 200, 20, "readers are stuck")
        self.assertEqual(readers.failures, [])
        self.assertEqual(server.request("/v2/items").status, 404)

    def test_a_bad_file_keeps_the_old_one_and_says_so(self):
        server, config = self.own_server()
        table = config / "routes" / "v2.json"
        table.write_text(table.read_text().replace('"relation": "products"', '"relation": "prodcts"'))
        server.signal(signal.SIGHUP)
        wait_until(lambda: "prodcts" in server.log_text(), 10, "nothing was said")
        self.assertIn("did you mean", server.log_text())
        self.assertEqual(server.request("/v2/items?id=eq.1").status, 200)
        failed = 'millrace_reloads_total{what="config",result="failed"} 1'
        wait_until(lambda: failed in server.admin("/metrics").text, 5, "not counted")

    def test_the_catalog_follows_the_schema_when_told(self):
        self.assertEqual(self.get("/v1/novelties").status, 404)
        with Readers(self.server.port, self.paths) as readers:
            self.sql("create table shop.novelties (id int primary key, name text); insert into shop.novelties values (1, 'a'); "
                     "grant select on shop.novelties to shop_anonymous; notify millrace, 'reload schema'")
            wait_until(lambda: self.get("/v1/novelties").status == 200, 10, "the new table is not there")
            self.sql("alter table shop.novelties add column colour text default 'red'; notify millrace, 'reload schema'")
            wait_until(lambda: self.get("/v1/novelties").json == [{"id": 1, "name": "a", "colour": "red"}], 10, "no new column")
            self.sql("drop table shop.novelties; notify millrace, 'reload schema'")
            wait_until(lambda: self.get("/v1/novelties").status == 404, 10, "the dropped table is still there")
        self.assertEqual(readers.failures, [])

    def test_drain_under_load_loses_no_request(self):
        server, _ = self.own_server(MILLRACE_DRAIN_PAUSE_MS=500)
        with Readers(server.port, self.paths) as readers:
            server.signal(signal.SIGTERM)
            wait_until(lambda: server.admin("/readyz").status == 503, 5, "readiness did not fail first")
            self.assertEqual(server.request("/v1/products?id=eq.1").status, 200)
            wait_until(lambda: not server.running, 30, "it did not end")
        self.assertEqual(server.process.returncode, 0)
        # A connection may be refused once the socket is closed, or be reset when the system completed it in that very moment:
        # no byte of those was read. What was read is answered, so nothing else may be seen, and resets are next to none.
        self.assertLessEqual(set(readers.counts), {200, "ConnectionRefusedError", "ConnectionResetError"}, readers.counts)
        self.assertLessEqual(readers.counts.get("ConnectionResetError", 0), 3, readers.counts)

    def test_the_admin_listener_tells_operations_what_they_need(self):
        self.get("/v1/products?id=eq.1")
        metrics = self.server.admin("/metrics").text
        for name in ("millrace_http_request_duration_seconds_bucket", "millrace_cache_requests_total", "millrace_lanes",
                     "millrace_build_info", "millrace_lane_wait_seconds_bucket", "millrace_backend_up"):
            self.assertIn(name, metrics)
        self.assertIn('version="v1"', metrics)
        self.assertEqual(self.server.admin("/livez").status, 200)
        self.assertEqual(self.server.admin("/nonsense").status, 404)
        self.assertEqual(self.server.admin("/metrics", method="POST").status, 405)
        self.assertEqual(self.get("/metrics").status, 404)

    def test_the_configuration_is_shown_without_its_secrets(self):
        server, _ = self.own_server(MILLRACE_AUTH_JWT_SECRET="a secret that nobody may ever see at all")
        text = server.admin("/config").text
        self.assertNotIn("nobody", text)
        self.assertEqual(json.loads(text)["database"]["anonymous_role"], "shop_anonymous")

    def test_the_access_log_is_one_json_object_a_line(self):
        self.get("/v1/products?id=eq.5&select=id", {"X-Request-Id": "find-me-in-the-log"})
        wait_until(lambda: "find-me-in-the-log" in self.server.log_text(), 5, "the request is not in the log")
        lines = [json.loads(line) for line in self.server.log_text().splitlines() if line.startswith("{")]
        entry = next(line for line in lines if line.get("request_id") == "find-me-in-the-log")
        self.assertEqual((entry["version"], entry["route"], entry["status"]), ("v1", "products", 200))

    def test_hostile_labels_do_not_multiply_series(self):
        before = self.server.admin("/metrics").text.count("\n")
        for n in range(300):
            self.get(f"/v1/nothing{n}")
            self.get(f"/v{n + 10}/x")
        self.assertLess(self.server.admin("/metrics").text.count("\n"), before + 200)


if __name__ == "__main__":
    main()

"""Large answers: sent while their rows come, in bounded memory, and never mistaken for whole when they are not."""
import http.client
import json
import os
import socket
import time
from pathlib import Path

from harness import SystemTest, main, wait_until

ROWS = 1_000_000
GROWTH_KIB_MAX = 32 * 1024

# A set-returning function in the select list gives its rows as they are asked for; in FROM it is run to its end first.
VIEWS = f"""
create view shop.numbers as select n as id, 'number ' || n as name, null::text as nothing
    from (select generate_series(1, {ROWS}) n) s;
create view shop.endless as select n as id, repeat('x', 1000) as filler from (select generate_series(1, 100000000) n) s;
create view shop.failing as select n as id, 1000 / (n - 500000) as quotient from (select generate_series(1, {ROWS}) n) s;
create view shop.sleeping as select 1 as id, pg_sleep(30)::text as slept;
grant select on shop.numbers, shop.endless, shop.failing, shop.sleeping to shop_anonymous;
notify millrace, 'reload schema';
"""


def whole_schema(directory):
    path = Path(directory) / "config"
    path.mkdir()
    (path / "v1.json").write_text(json.dumps({"version": "v1", "schema": "shop", "expose": "schema",
                                              "defaults": {"cache": {"ttl_s": 30, "max_age_s": 0, "shared": False}}}))
    (path / "millrace.json").write_text(json.dumps({"routes": ["v1.json"]}))
    return path / "millrace.json"


class Streaming(SystemTest):
    env = {"MILLRACE_DATABASE_SLOW_LANES": 1, "MILLRACE_LIMITS_DEADLINE_MS": 30000, "MILLRACE_HTTP_STREAM_BYTES_MIN": 65536,
           "MILLRACE_CACHE_ENTRY_BYTES_MAX": 65536}
    config = staticmethod(whole_schema)

    @classmethod
    def setUpClass(cls):
        # A sanitizer keeps what was freed, and would be what is measured.
        os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=1:thread_local_quarantine_size_kb=64")
        super().setUpClass()
        cls.postgres.sql(VIEWS, "shop")
        wait_until(lambda: cls.server.request("/v1/numbers?id=eq.1").status == 200, 10, "the views are not there")

    def memory_kib(self, name):
        for line in Path(f"/proc/{self.server.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise AssertionError(name)

    def active(self, view):
        return int(self.sql(f"select count(*) from pg_stat_activity where state = 'active' and query like '%{view}%' "
                            "and pid <> pg_backend_pid()"))

    def begin(self, path, version="1.1"):
        """A connection on which this was asked; what comes on it waits until it is read."""
        link = socket.create_connection(("127.0.0.1", self.server.port), timeout=20)
        link.sendall(f"GET {path} HTTP/{version}\r\nHost: a\r\n\r\n".encode())
        return link

    def rest(self, link):
        parts = []
        while part := link.recv(1 << 20):
            parts.append(part)
        return b"".join(parts)

    def test_a_million_rows_take_no_memory(self):
        self.get("/v1/numbers?id=lt.50000", timeout_s=60)
        before = self.memory_kib("VmRSS")
        Path(f"/proc/{self.server.pid}/clear_refs").write_text("5")  # VmHWM begins anew
        answer = self.get("/v1/numbers", timeout_s=60)
        grown = self.memory_kib("VmHWM") - before
        self.assertEqual((answer.status, answer.headers["transfer-encoding"]), (200, "chunked"))
        self.assertNotIn("content-range", answer.headers)
        self.assertNotIn("etag", answer.headers)
        rows = answer.json
        self.assertEqual(len(rows), ROWS)
        self.assertEqual([row["id"] for row in rows], list(range(1, ROWS + 1)))
        self.assertEqual(rows[-1], {"id": ROWS, "name": f"number {ROWS}", "nothing": None})
        self.assertLess(grown, GROWTH_KIB_MAX)

    def test_many_rows_on_a_shared_lane_take_no_memory_either(self):
        for _ in range(5):  # the shape is known to be cheap, and with another value it is not
            self.assertEqual(len(self.get("/v1/numbers?id=lt.3&limit=999999").json), 2)
        before = self.memory_kib("VmRSS")
        Path(f"/proc/{self.server.pid}/clear_refs").write_text("5")
        rows = self.get("/v1/numbers?id=lt.900000&limit=999999", timeout_s=60).json
        self.assertEqual(len(rows), 899_999)
        self.assertLess(self.memory_kib("VmHWM") - before, GROWTH_KIB_MAX)

    def test_what_is_small_comes_as_ever(self):
        answer = self.get("/v1/numbers?id=lt.100")
        self.assertEqual(answer.headers["content-range"], "0-98/*")
        self.assertEqual(int(answer.headers["content-length"]), len(answer.body))
        self.assertIn("etag", answer.headers)

    def test_a_total_that_was_asked_for_gives_the_range(self):
        whole = self.get("/v1/numbers?select=id", {"Prefer": "count=exact"}, timeout_s=60)
        self.assertEqual((whole.status, whole.headers["content-range"]), (200, f"0-{ROWS - 1}/{ROWS}"))
        part = self.get("/v1/numbers?select=id&limit=50000&offset=10", {"Prefer": "count=exact"}, timeout_s=60)
        self.assertEqual((part.status, part.headers["content-range"]), (206, f"10-50009/{ROWS}"))
        self.assertEqual(len(part.json), 50_000)

    def test_csv_comes_in_parts_too(self):
        answer = self.get("/v1/numbers", {"Accept": "text/csv"}, timeout_s=60)
        self.assertEqual((answer.status, answer.headers["transfer-encoding"]), (200, "chunked"))
        lines = answer.text.split("\n")
        self.assertEqual((len(lines), lines[0], lines[-1]), (ROWS + 1, "id,name,nothing", f'{ROWS},"number {ROWS}",'))

    def test_the_head_alone(self):
        head = self.send("HEAD", "/v1/numbers")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertNotIn("content-length", head.headers)
        wait_until(lambda: self.active("numbers") == 0, 5, "the statement goes on")

    def test_http_1_0_reads_to_the_end_of_the_connection(self):
        with self.begin("/v1/numbers?select=id", "1.0") as link:
            head, _, body = self.rest(link).partition(b"\r\n\r\n")
        self.assertNotIn(b"ransfer-", head)
        self.assertEqual(len(json.loads(body)), ROWS)

    def test_an_error_among_the_rows_leaves_the_answer_incomplete(self):
        with self.assertRaises((http.client.IncompleteRead, ConnectionResetError)):
            self.get("/v1/failing", timeout_s=60)
        self.assert_error(self.get("/v1/failing?id=gt.499990"), 400, "22012")

    def test_a_client_that_goes_away_cancels_its_statement(self):
        with self.begin("/v1/endless") as link:
            link.recv(1000)
            self.assertEqual(self.active("endless"), 1)
        wait_until(lambda: self.active("endless") == 0, 5, "the statement goes on")
        with self.begin("/v1/sleeping"):
            wait_until(lambda: self.active("sleeping") == 1, 5, "the statement does not begin")
        wait_until(lambda: self.active("sleeping") == 0, 5, "the statement goes on")
        self.assertEqual(self.get("/v1/numbers?id=eq.1&order=name").status, 200)

    def test_what_is_too_large_for_the_cache_is_not_stored(self):
        for status in ("fwd=uri-miss", "fwd=bypass; detail=not-kept"):
            answer = self.get("/v1/products?order=id", timeout_s=20)
            self.assertEqual(answer.headers["cache-status"], "millrace; " + status)
            self.assertEqual(len(answer.json), 1000)

    def test_a_drain_waits_for_the_answer_that_is_underway(self):
        link = self.begin("/v1/numbers")
        head = link.recv(1000)
        self.server.ask_to_stop()
        body = head + self.rest(link)
        link.close()
        self.assertTrue(body.endswith(b"\r\n0\r\n\r\n"))
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.server.wait_ready()


class SlowReaders(SystemTest):
    env = {"MILLRACE_DATABASE_SLOW_LANES": 1, "MILLRACE_LIMITS_DEADLINE_MS": 1500}
    config = staticmethod(whole_schema)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql(VIEWS, "shop")
        wait_until(lambda: cls.server.request("/v1/numbers?id=eq.1").status == 200, 10, "the views are not there")

    def test_a_slow_reader_holds_no_lane_beyond_its_deadline(self):
        with Streaming.begin(self, "/v1/endless") as link:
            link.recv(1000)
            began = time.monotonic()
            time.sleep(1)  # its deadline comes before that of the next
            self.assertEqual(self.get("/v1/numbers?id=eq.2&order=name").status, 200)
            self.assertLess(time.monotonic() - began, 4)
            try:
                body = Streaming.rest(self, link)
            except ConnectionResetError:
                body = b""
        self.assertFalse(body.endswith(b"\r\n0\r\n\r\n"))


if __name__ == "__main__":
    main()

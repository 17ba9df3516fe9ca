"""deploy/rollout: a good release gets all of the traffic, a bad one is taken back, and so it is when nothing can be seen."""
import importlib.machinery
import importlib.util
import json
import os
import signal
import subprocess
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from harness import Readers, SystemTest, main, wait_until

from stack import ROOT, HAProxy, Millrace  # noqa: E402

SCRIPT = ROOT / "deploy" / "rollout"
# What a bad release may do: fail a request in four, or take its time.
BAD = """
create function shop.fails() returns boolean language plpgsql as $$
begin if random() < 0.25 then raise sqlstate 'PT503' using message = 'a bad release'; end if; return true; end $$;
create function shop.dawdles() returns boolean language plpgsql as $$ begin perform pg_sleep(0.1); return true; end $$;
create view shop.failing as select id, name, stock from shop.products where id <= 50 and shop.fails();
create view shop.dawdling as select id, name, stock from shop.products where shop.dawdles() limit 1;
grant select on shop.failing, shop.dawdling to shop_anonymous;
"""
GROUPS = {"good": "products", "failing": "failing", "slow": "dawdling"}


def load_script():
    loader = importlib.machinery.SourceFileLoader("rollout", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("rollout", loader))
    loader.exec_module(module)
    return module


class BlueGreen(HAProxy):
    """deploy/haproxy/blue-green.cfg with two replicas a group."""

    config = ROOT / "deploy" / "haproxy" / "blue-green.cfg"

    def environment(self):
        names = ("BLUE_1", "BLUE_2", "GREEN_1", "GREEN_2")
        addresses = {name: f"127.0.0.1:{replica.port}" for name, replica in zip(names, self.replicas)}
        ports = {f"{name}_ADMIN_PORT": str(replica.admin_port) for name, replica in zip(names, self.replicas)}
        return {**os.environ, **addresses, **ports, "HAPROXY_LISTEN": f"127.0.0.1:{self.port}",
                "HAPROXY_ADMIN": f"127.0.0.1:{self.admin_port}", "HAPROXY_SOCKET": str(self.socket)}

    @property
    def socket(self):
        return self.directory / "haproxy.sock"

    def command(self):
        return ["haproxy", "-db", "-q", "-f", str(self.config)]

    def servers(self):
        balancer = load_script().Balancer(str(self.socket), "millrace")
        return {name: "UP" if row["srv_op_state"] == "2" else "DOWN" for name, row in balancer.servers().items()}

    def weights(self):
        balancer = load_script().Balancer(str(self.socket), "millrace")
        return {name: int(row["srv_uweight"]) for name, row in balancer.servers().items()}


class Releases(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql(BAD, "shop")

    def release(self, kind, name):
        """A replica with a route table of its own, as another version of the files would be."""
        folder = Path(self.directory) / kind
        if not folder.exists():
            folder.mkdir()
            table = {"version": "v1", "schema": "shop", "resources": {"products": {"relation": GROUPS[kind]}}}
            (folder / "v1.json").write_text(json.dumps(table))
            (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json"]}))
        replica = Millrace(self.directory, self.postgres.url("shop", "shop_api"), config=folder / "millrace.json",
                           env={"MILLRACE_WORKERS": 1, "MILLRACE_DRAIN_PAUSE_MS": 0}, name=name)
        replica.start(wait=False)
        self.addCleanup(replica.stop)
        return replica

    def stack(self, green):
        """HAProxy with a good blue group and a green one of this kind."""
        replicas = [self.release("good", "blue1"), self.release("good", "blue2"), self.release(green, "green1"),
                    self.release(green, "green2")]
        for replica in replicas:
            replica.wait_ready()
        balancer = BlueGreen(self.directory, replicas).start()
        self.addCleanup(balancer.stop)
        balancer.wait_up()
        self.assertEqual(self.before, balancer.weights())
        return balancer

    before = {"blue1": 128, "blue2": 128, "green1": 0, "green2": 0}

    def begin(self, balancer, *more):
        # Bounds of time are wide: what else runs on this machine is no fault of the release.
        arguments = ["--socket", balancer.socket, "--from", "blue", "--to", "green", "--steps", "10,50,100", "--wait", "1.5",
                     "--every", "0.4", "--requests-min", "20", "--p99-max-ms", "9000", "--p99-floor-ms", "9000", *more]
        return subprocess.Popen([SCRIPT, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def roll(self, balancer, *more, traffic=True):
        """Exit code and output; meanwhile clients read."""
        process = self.begin(balancer, *more)
        readers = Readers(balancer.port, [f"/v1/products?id=eq.{n}" for n in range(1, 41)], threads=3, pause_s=0.002)
        if not traffic:
            return process.communicate(timeout=60)[0], process.returncode, {}
        with readers:
            output = process.communicate(timeout=60)[0]
        return output, process.returncode, readers.counts

    def test_a_good_release_gets_all_of_the_traffic_and_no_client_sees_it(self):
        balancer = self.stack("good")
        output, code, counts = self.roll(balancer)
        self.assertEqual(code, 0, output)
        self.assertEqual(balancer.weights(), {"blue1": 0, "blue2": 0, "green1": 256, "green2": 256})
        self.assertEqual(set(counts), {200}, output)
        self.assertIn(" 50% ", output)
        self.assertEqual(self.roll(balancer, "--from", "green", "--to", "blue", "--steps", "100")[1], 0, "the way back")

    def test_a_release_that_fails_is_taken_back(self):
        balancer = self.stack("failing")
        output, code, counts = self.roll(balancer)
        self.assertEqual(code, 1, output)
        self.assertIn("of its requests fail", output)
        self.assertEqual(balancer.weights(), self.before)
        self.assertLess(counts.get(503, 0), counts[200] / 5, "at the first step it had a tenth of the traffic")
        asked_again = Readers(balancer.port, ["/v1/products?id=eq.1"], threads=1)
        with asked_again:
            wait_until(lambda: asked_again.total() > 100, 20, "no answers")
        self.assertEqual(set(asked_again.counts), {200})

    def test_a_release_that_is_slow_is_taken_back(self):
        balancer = self.stack("slow")
        output, code, _ = self.roll(balancer, "--p99-max-ms", "60", "--wait", "4", "--steps", "50,100")
        self.assertEqual(code, 1, output)
        self.assertIn("its p99 is", output)
        self.assertEqual(balancer.weights(), self.before)

    def test_a_release_that_dies_is_taken_back(self):
        balancer = self.stack("good")
        process = self.begin(balancer, "--wait", "30")
        with Readers(balancer.port, ["/v1/products?id=eq.1"], threads=2, pause_s=0.005) as readers:
            wait_until(lambda: balancer.weights()["green1"] > 0, 10, "it does not begin")
            balancer.replicas[3].kill9()
            output = process.communicate(timeout=30)[0]
        self.assertEqual(process.returncode, 1, output)
        self.assertEqual(balancer.weights(), self.before)
        self.assertEqual(set(readers.counts), {200}, "reads are sent again elsewhere")

    def test_an_interrupt_takes_it_back(self):
        balancer = self.stack("good")
        process = self.begin(balancer, "--wait", "30")
        wait_until(lambda: balancer.weights()["green1"] > 0, 10, "it does not begin")
        process.send_signal(signal.SIGINT)
        self.assertEqual((process.communicate(timeout=20)[0] and process.returncode, balancer.weights()), (1, self.before))

    def test_too_little_traffic_proves_nothing(self):
        balancer = self.stack("good")
        output, code, _ = self.roll(balancer, "--patience", "2", traffic=False)
        self.assertEqual((code, balancer.weights()), (1, self.before), output)
        self.assertIn("only 0 requests came", output)

    def test_what_cannot_be_begun_touches_nothing(self):
        balancer = self.stack("good")
        output, code, _ = self.roll(balancer, "--dry-run", traffic=False)
        self.assertEqual((code, balancer.weights()), (0, self.before), output)
        self.assertIn("'green1': 256", output)
        for wrong in (("--to", "red"), ("--socket", "/nothing"), ("--backend", "other"), ("--steps", "50,10")):
            with self.subTest(wrong):
                self.assertEqual(self.roll(balancer, *wrong, traffic=False)[1], 2)
        output, code, _ = self.roll(balancer, "--prometheus", "http://127.0.0.1:1", traffic=False)
        self.assertEqual((code, balancer.weights()), (1, self.before), output)


class Reading(unittest.TestCase):
    """The parts that need no servers. The Prometheus here is none: it only shows that its answers are read rightly."""

    @classmethod
    def setUpClass(cls):
        cls.rollout = load_script()

    def test_weights_give_the_share(self):
        for share, old, new in ((0.01, 2, 2), (0.05, 1, 3), (0.25, 3, 1), (0.5, 2, 3), (0.05, 1, 8)):
            o, n = self.rollout.weights_for(share, old, new)
            self.assertAlmostEqual(new * n / (new * n + old * o), share, delta=0.0005)
        self.assertEqual(self.rollout.weights_for(1, 2, 2), (0, 256))

    def test_quantiles_are_those_of_prometheus(self):
        buckets = {0.1: 50, 0.2: 90, float("inf"): 100}
        self.assertAlmostEqual(self.rollout.quantile(buckets, 0.7), 0.15)
        self.assertEqual(self.rollout.quantile(buckets, 0.99), 0.2)
        self.assertNotEqual(self.rollout.quantile({}, 0.99), self.rollout.quantile({}, 0.99), "not a number")

    def test_a_breach_is_a_bound_or_a_comparison(self):
        limits = self.rollout.options_of(["--socket", "x", "--from", "a", "--to", "b"])
        seen = self.rollout.Seen
        good = seen(1000, 1, 0.02)
        for new, word in ((seen(1000, 1, 0.02), None), (seen(99, 99, 9.0), None), (seen(1000, 11, 0.02), "more than 1.00%"),
                          (seen(1000, 5, 0.02), "of the old group's"), (seen(1000, 0, 1.5), "more than 1000 ms"),
                          (seen(1000, 0, 0.04), "of the old group 20.0 ms"), (seen(1000, 0, 0.024), None)):
            why = self.rollout.breach(good, new, limits)
            self.assertTrue(why is None if word is None else word in why, (new, why))

    def test_answers_of_a_prometheus_are_read(self):
        asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                query = parse_qs(urlsplit(self.path).query)["query"][0]
                asked.append(query)
                rows = [({"status": "2xx"}, "90.5"), ({"status": "5xx"}, "9.5")] if query.startswith("sum by (status)") else \
                    [({}, "0.25")] if query.startswith("histogram_quantile") else \
                    [] if query.startswith("sum(changes") else [({"group": "green"}, "1")]
                result = [{"metric": labels, "value": [1.0, value]} for labels, value in rows]
                body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        source = self.rollout.Prometheus(f"http://127.0.0.1:{server.server_port}/", 'group="green"')
        source.mark()
        seen = source.seen()
        self.assertEqual((seen.requests, seen.errors, seen.p99_s), (100, 9.5, 0.25))
        self.assertTrue(all('{group="green"}' in query for query in asked), asked)


if __name__ == "__main__":
    main()

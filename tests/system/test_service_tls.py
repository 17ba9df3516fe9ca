"""Services that speak TLS: whom they must be vouched for by, and what is told of those who are not."""
import http.client
import json
import os
import shutil
import socket
import ssl
import tempfile
import unittest
from pathlib import Path

from harness import main, wait_until
from services import BIG, PIECE, Service
from test_hardening import make_certificate
from upstreams import Upstreams, route

from stack import Millrace, command  # noqa: E402


def make_certificates(folder):
    make_certificate(folder, "authority")
    make_certificate(folder, "stranger")
    make_certificate(folder, "service", ca="authority", names="DNS:localhost,IP:127.0.0.1")
    make_certificate(folder, "elsewhere", ca="authority", names="DNS:elsewhere.example,IP:127.0.0.9")


class Encrypted(Upstreams):
    settings = {"limits": {"breaker_failures_max": 3, "breaker_open_ms": 60_000}}

    @classmethod
    def routes(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="millrace-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        make_certificates(cls.folder)
        shutil.copy(cls.folder / "stranger.pem", cls.folder / "changing.pem")
        cls.good = cls.service("good", tls=cls.files("service"))
        cls.checked = cls.service("checked", tls=cls.files("service"))
        cls.wrong = cls.service("wrong", tls=cls.files("elsewhere"))
        cls.plain = cls.service("plain")
        cls.silent = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(cls.silent.close)
        ours, good = str(cls.folder / "authority.pem"), cls.good.url
        return {"vouched": route([good], ca_file=ours),
                "named": route([good.replace("127.0.0.1", "localhost") + "/base"], ca_file=ours),
                "unknown": route([good]),
                "foreign": route([good], ca_file=str(cls.folder / "stranger.pem")),
                "elsewhere": route([cls.wrong.url], ca_file=ours),
                "plain": route([cls.plain.url.replace("http:", "https:")], ca_file=ours),
                "silent": route([f"https://127.0.0.1:{cls.silent.getsockname()[1]}"], ca_file=ours, connect_timeout_ms=500),
                "changing": route([good], ca_file=str(cls.folder / "changing.pem")),
                "watched": route([cls.checked.url, cls.wrong.url], ca_file=ours, health_path="/echo", health_every_ms=100),
                "half": route([good, cls.wrong.url], ca_file=ours)}

    @classmethod
    def files(cls, name):
        return cls.folder / f"{name}.pem", cls.folder / f"{name}.key"

    def reason(self, name):
        lines = [json.loads(line) for line in self.server.log_text().splitlines() if '"event":"service"' in line]
        return next((line["reason"] for line in lines if line["route"] == name), None)

    def refused(self, name):
        """Every answer of the route is the documented one, its breaker opens, and the log has the reason once."""
        answers = [self.get(f"/v1/{name}") for _ in range(4)]
        for answer in answers[:3]:
            self.assert_error(answer, 503, "MR050")
        self.assert_error(answers[3], 503, "MR053")
        wait_until(lambda: self.reason(name), 5, "nothing is said of it in the log")
        return self.reason(name)

    def test_a_service_that_is_vouched_for_is_asked(self):
        answer = self.get("/v1/vouched/7?a=b")
        self.assertEqual((answer.status, answer.json["target"], answer.json["service"]), (200, "/vouched/7?a=b", "good"))
        large = "x" * 900_000
        self.assertEqual(self.send("POST", "/v1/vouched", body=large).json["body"], large)
        self.assertEqual(self.send("HEAD", "/v1/vouched").status, 200)

    def test_the_name_of_the_host_is_asked_for(self):
        self.assertEqual(self.get("/v1/named").json["target"], "/base/named")
        self.assertIn("localhost", self.good.names)

    def test_a_connection_is_used_again(self):
        self.get("/v1/vouched")
        before = len(self.good.names)  # one more for each handshake
        for _ in range(20):
            self.assertEqual(self.get("/v1/vouched").status, 200)
        self.assertLessEqual(len(self.good.names) - before, 1)

    def test_a_service_may_close_a_kept_connection(self):
        self.get("/v1/vouched")
        for connection in list(self.good.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for _ in range(5):
            self.assertEqual(self.send("POST", "/v1/vouched", body="x").status, 200)  # cannot be sent twice

    def test_large_answers_come_whole(self):
        for path in ("/v1/vouched/big", "/v1/vouched/big?chunked=1"):
            answer = self.get(path, timeout_s=60)
            self.assertEqual((len(answer.body), answer.body[-len(PIECE):]), (BIG, PIECE))

    def test_a_body_that_breaks_off_is_never_taken_for_whole(self):
        # Without a close_notify nobody can tell the end of such a body from a cut (RFC 9112 §9.8).
        self.good.raw = b"HTTP/1.1 200 OK\r\n\r\nhalf"
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            self.get("/v1/vouched/raw")

    def test_an_authority_that_is_not_known_is_refused(self):
        self.assertRegex(self.refused("unknown"), "^TLS: (self.signed certificate|unable to get local issuer)")
        self.assertRegex(self.refused("foreign"), "^TLS: (self.signed certificate|unable to get local issuer)")

    def test_a_certificate_for_another_host_is_refused(self):
        self.assertIn("mismatch", self.refused("elsewhere"))
        self.assertEqual(self.wrong.asked, [], "it has been told something")

    def test_what_speaks_no_tls_is_refused(self):
        self.assertTrue(self.refused("plain").startswith("TLS: "))

    def test_a_handshake_has_the_time_of_a_connection(self):
        self.assertEqual(self.refused("silent"), "it took too long")

    def test_the_check_asks_by_tls_too(self):
        wait_until(lambda: len(self.checked.asked) > 0, 5, "it is not checked")
        wait_until(lambda: {self.get("/v1/watched").json["service"] for _ in range(10)} == {"checked"}, 5, "the wrong one is asked")
        self.assertIn("mismatch", self.reason("watched"))

    def test_another_address_answers_instead(self):
        for _ in range(10):
            self.assertEqual(self.send("POST", "/v1/half", body="x").json["service"], "good")

    def test_other_authorities_are_read_on_sighup(self):
        self.assertEqual(self.get("/v1/changing").status, 503)
        shutil.copy(self.folder / "authority.pem", self.folder / "changing.pem")
        self.server.signal(1)
        wait_until(lambda: self.get("/v1/changing").status == 200, 10, "the new authorities are not believed")

    def test_without_a_file_those_of_openssl_are_believed(self):
        env = {"SSL_CERT_FILE": self.folder / "authority.pem", "MILLRACE_TLS_CERT_FILE": self.folder / "service.pem",
               "MILLRACE_TLS_KEY_FILE": self.folder / "service.key"}
        url = self.server.settings["MILLRACE_DATABASE_URL"]
        sealed = Millrace(self.directory, url, config=Path(self.directory) / "config" / "millrace.json", env=env, name="sealed")
        with sealed:
            context = ssl.create_default_context(cafile=self.folder / "authority.pem")
            with socket.create_connection(("127.0.0.1", sealed.port)) as plain, \
                    context.wrap_socket(plain, server_hostname="127.0.0.1") as link:
                link.sendall(b"GET /v1/unknown HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n")
                answer = b"".join(iter(lambda: link.recv(65536), b"")).decode()
        self.assertTrue(answer.startswith("HTTP/1.1 200"), answer)
        fields = self.good.asked[-1]["headers"]
        self.assertEqual(fields["x-forwarded-proto"], "https")
        self.assertEqual(fields["forwarded"], 'for=127.0.0.1;host="api.example";proto=https')


class Mistakes(unittest.TestCase):
    def check(self, upstream):
        with tempfile.TemporaryDirectory(prefix="millrace-test-") as directory:
            folder = Path(directory)
            make_certificate(folder, "authority")
            (folder / "broken.pem").write_text("no certificate")
            (folder / "v1.json").write_text(json.dumps({"version": "v1", "resources": {"orders": {"upstream": upstream}}}))
            (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json"]}))
            env = {**os.environ, "MILLRACE_DATABASE_URL": "postgresql:///none"}
            return command(["check", "--offline", "--config", folder / "millrace.json"], env=env, capture_output=True)

    def test_authorities_are_found_beside_the_route_table(self):
        done = self.check({"urls": ["https://a"], "ca_file": "authority.pem"})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_file_that_cannot_be_used_is_a_problem_of_the_table(self):
        for name in ("broken.pem", "absent.pem"):
            done = self.check({"urls": ["https://a"], "ca_file": name})
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertRegex(done.stderr, rf"/resources/orders/upstream/ca_file: cannot use the authorities \S*{name}")

    def test_an_address_that_cannot_be_parsed_is_one_too(self):
        done = self.check({"urls": ["https://a:99999"]})
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("/resources/orders/upstream/urls/0: must be http://host or https://host", done.stderr)


if __name__ == "__main__":
    main()

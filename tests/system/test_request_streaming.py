"""Large bodies of requests to services: passed on while they come, in bounded memory, and never mistaken for whole."""
import contextlib
import hashlib
import json
import os
import select
import shutil
import socket
import ssl
import tempfile
import threading
from pathlib import Path

from harness import SECRET, SystemTest, main, token, wait_until
from receivers import Receiver, Sender
from test_hardening import make_certificate

from stack.millrace import Millrace  # noqa: E402

HUGE = 200 * 1024 * 1024
GROWTH_KIB_MAX = 30 * 1024
SHORT_MAX = 64 * 1024  # http.stream_bytes_min
PATIENCE_MS = 600
PIECE = bytes(range(256)) * 512
CAP = 1_000_000


def digest(body):
    return hashlib.sha256(body).hexdigest()


def pattern(size):
    return (bytes(range(251)) * (size // 251 + 1))[:size]


class RequestStreaming(SystemTest):
    @classmethod
    def setUpClass(cls):
        os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=1:thread_local_quarantine_size_kb=64")
        cls.one, cls.other = Receiver("one").start(), Receiver("other").start()
        folder = Path(tempfile.mkdtemp(prefix="millrace-test-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.certificate = make_certificate(folder, "sealed")
        cls.sealed = Receiver("sealed", tls=cls.certificate).start()
        for each in (cls.one, cls.other, cls.sealed):
            cls.addClassCleanup(each.stop)

        def route(*urls, auth="public", body_bytes_max=HUGE, methods=("GET", "POST", "PUT"), **upstream):
            return {"upstream": {"urls": list(urls), "timeout_ms": 8000, **upstream}, "auth": auth,
                    "body_bytes_max": body_bytes_max, "methods": list(methods)}

        resources = {"files": route(cls.one.url), "small": route(cls.one.url, body_bytes_max=CAP),
                     "guarded": route(cls.one.url, auth="required", body_bytes_max=CAP),
                     "both": route(cls.one.url, cls.other.url), "hasty": route(cls.one.url, timeout_ms=500),
                     "sealed": route(cls.sealed.url, ca_file=str(cls.certificate[0]))}

        def config(directory):
            path = Path(directory) / "config"
            path.mkdir()
            (path / "v1.json").write_text(json.dumps({"version": "v1", "schema": "shop", "expose": "schema",
                                                      "resources": resources}))
            (path / "millrace.json").write_text(json.dumps({
                "routes": ["v1.json"], "auth": {"jwt_secret": SECRET},
                "http": {"stream_bytes_min": SHORT_MAX, "body_timeout_ms": PATIENCE_MS},
                "limits": {"breaker_failures_max": 1000, "deadline_ms": 60000}}))
            return path / "millrace.json"

        cls.config = staticmethod(config)
        super().setUpClass()

    def setUp(self):
        for each in (self.one, self.other, self.sealed):
            each.go_on.clear()
            each.ended_after = None

    def sender(self, **options):
        return Sender(self.server.port, **options)

    def memory_kib(self, name):
        return next(int(line.split()[1]) for line in Path(f"/proc/{self.server.pid}/status").read_text().splitlines()
                    if line.startswith(name + ":"))

    def arrived(self, count, size=0):
        """Waits until the service has got that many requests, and so much of the last one's body."""
        wait_until(lambda: len(self.one.uploads) >= count and self.one.last.size >= size, 10, "the service does not get it")
        return self.one.last

    def assert_incomplete(self, upload):
        self.assertTrue(upload.over.wait(10), "the service still waits for the rest")
        self.assertIs(upload.whole, False)

    def assert_refused(self, sender, status, code):
        answer, fields, body = sender.answer()
        self.assertEqual((answer, json.loads(body)["code"]), (status, code))
        return fields

    def assert_well(self):
        """Whatever happened: the next request is answered as if nothing had."""
        body = pattern(SHORT_MAX * 2)
        answer = self.send("PUT", "/v1/files", body=body)
        self.assertEqual((answer.status, answer.json["digest"]), (200, digest(body)))

    # What goes through.

    def test_a_huge_body_takes_no_memory(self):
        self.assert_well()
        whole = hashlib.sha256()
        for _ in range(HUGE // len(PIECE)):
            whole.update(PIECE)
        for framing in (f"Content-Length: {HUGE}", "Transfer-Encoding: chunked"):
            before = self.memory_kib("VmRSS")
            Path(f"/proc/{self.server.pid}/clear_refs").write_text("5")  # VmHWM begins anew
            with self.sender(timeout_s=60) as sender:
                sender.head("/v1/files", framing)
                put = sender.chunk if "chunked" in framing else sender.send
                for _ in range(HUGE // len(PIECE)):
                    put(PIECE)
                if "chunked" in framing:
                    sender.send(b"0\r\n\r\n")
                status, _, body = sender.answer()
            self.assertEqual((status, json.loads(body)["size"], json.loads(body)["digest"]), (200, HUGE, whole.hexdigest()))
            self.assertLess(self.memory_kib("VmHWM") - before, GROWTH_KIB_MAX)

    def test_every_size_and_framing_arrives_as_it_was_sent(self):
        with self.sender() as sender:
            for size in (0, 1, 1000, SHORT_MAX - 1, SHORT_MAX, SHORT_MAX + 1, SHORT_MAX * 2, 300_001):
                body = pattern(size)
                sender.head("/v1/files", f"Content-Length: {size}", method="POST")
                sender.send(body)
                sized = json.loads(sender.answer()[2])
                self.assertEqual((sized["size"], sized["digest"], sized["framing"]), (size, digest(body), str(size)))
                for step in (size or 1, 1009):
                    sender.head("/v1/files", "Transfer-Encoding: chunked", method="POST")
                    sender.send(b"".join(b"%x;a=b\r\n%s\r\n" % (len(body[at:at + step]), body[at:at + step])
                                         for at in range(0, size, step)) + b"0\r\nX-Trailer: 1\r\n\r\n")
                    came = json.loads(sender.answer()[2])
                    self.assertEqual((came["size"], came["digest"]), (size, digest(body)))
                    # A short body is whole before it is sent, and one that is not much longer may be.
                    framings = {str(size)} if size <= SHORT_MAX else {"chunked"} if size > SHORT_MAX * 3 else {str(size), "chunked"}
                    self.assertIn(came["framing"], framings)

    def test_it_goes_on_as_it_comes(self):
        body, half = pattern(SHORT_MAX * 4), SHORT_MAX * 2
        for framing in (f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"):
            count = len(self.one.uploads) + 1
            with self.sender() as sender:
                sender.head("/v1/files", framing)
                put = sender.chunk if "chunked" in framing else sender.send
                put(body[:half])
                self.arrived(count, half)
                put(body[half:])
                if "chunked" in framing:
                    sender.send(b"0\r\n\r\n")
                self.assertEqual(json.loads(sender.answer()[2])["digest"], digest(body))

    def test_a_service_that_does_not_read_holds_the_client_back(self):
        with self.sender(timeout_s=1) as sender:
            sender.head("/v1/files/wait", f"Content-Length: {HUGE}")
            sent = 0
            with contextlib.suppress(TimeoutError):
                while sent < HUGE:
                    sent += sender.link.send(PIECE)
            self.assertLess(sent, HUGE // 2)
        self.one.go_on.set()
        self.assert_incomplete(self.one.last)

    def test_whoever_is_slow_but_steady_is_served(self):
        body = pattern(SHORT_MAX * 4)
        with self.sender() as sender:
            sender.head("/v1/files", f"Content-Length: {len(body)}")
            for at in range(0, len(body), SHORT_MAX):
                sender.send(body[at:at + SHORT_MAX])
                more = at + SHORT_MAX < len(body)
                early, _, _ = select.select([sender.link], [], [], PATIENCE_MS / 2000 if more else 0)
                self.assertFalse(early and more, "answered before the body was there")
            self.assertEqual(json.loads(sender.answer()[2])["digest"], digest(body))

    def test_interim_answers_do_not_end_it(self):
        body = pattern(SHORT_MAX * 4)
        count = len(self.one.uploads) + 1
        with self.sender() as sender:
            sender.head("/v1/files/interim", f"Content-Length: {len(body)}")
            sender.send(body[:SHORT_MAX])
            self.arrived(count, SHORT_MAX)
            sender.send(body[SHORT_MAX:])
            status, _, said = sender.answer()
            self.assertEqual((status, json.loads(said)["digest"]), (200, digest(body)))

    def test_the_bytes_behind_it_are_the_next_request(self):
        body = pattern(SHORT_MAX * 3)
        follows = b"GET /v1/products?id=eq.1&select=id HTTP/1.1\r\nHost: a\r\n\r\n"
        for framing, framed in ((f"Content-Length: {len(body)}", body),
                                ("Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))):
            with self.sender() as sender:
                sender.head("/v1/files", framing)
                sender.send(framed + follows)
                self.assertEqual(json.loads(sender.answer()[2])["digest"], digest(body))
                self.assertEqual(json.loads(sender.answer()[2]), [{"id": 1}])
                sender.head("/v1/files", framing)
                sender.send(framed + follows + follows)
                self.assertEqual([sender.answer()[0] for _ in range(3)], [200, 200, 200])

    def test_http_1_0(self):
        body = pattern(SHORT_MAX * 3)
        with self.sender() as sender:
            sender.head("/v1/files", f"Content-Length: {len(body)}", version="1.0")
            sender.send(body)
            self.assertEqual(json.loads(sender.answer()[2])["digest"], digest(body))
            self.assertTrue(sender.ended())

    def test_a_connection_of_the_service_is_used_again(self):
        self.assert_well()
        before = len(self.one.sockets)
        for _ in range(5):
            self.assert_well()
        self.assertEqual(len(self.one.sockets), before)

    def test_a_drain_waits_for_it(self):
        body = pattern(SHORT_MAX * 4)
        count = len(self.one.uploads) + 1
        with self.sender() as sender:
            sender.head("/v1/files", f"Content-Length: {len(body)}")
            sender.send(body[:SHORT_MAX])
            self.arrived(count, SHORT_MAX)
            self.server.ask_to_stop()
            sender.send(body[SHORT_MAX:])
            status, fields, said = sender.answer()
            self.assertEqual((status, json.loads(said)["digest"]), (200, digest(body)))
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.server.wait_ready()

    # What is refused, and when.

    def test_nothing_is_read_of_what_is_refused(self):
        count = len(self.one.uploads)
        for path, size, method, status, code in (("/v1/guarded", SHORT_MAX * 2, "PUT", 401, "MR062"),
                                                 ("/v1/guarded", 10, "PUT", 401, "MR062"),
                                                 ("/v1/small", CAP + 1, "PUT", 413, "MR005"),
                                                 ("/v1/files", 10, "DELETE", 405, "MR032"),
                                                 ("/v1/files/%2e%2e", 10, "PUT", 400, "PGRST100")):
            for expect in ((), ("Expect: 100-continue",)):
                with self.sender() as sender:
                    sender.head(path, f"Content-Length: {size}", *expect, method=method)
                    fields = self.assert_refused(sender, status, code)  # without "100 Continue", and before a byte was sent
                    if expect:
                        self.assertEqual(fields["connection"], "close")
                        self.assertTrue(sender.ended())
        self.assertEqual(len(self.one.uploads), count)

    def test_who_asks_whether_to_send_it_is_told_so_when_it_is_wanted(self):
        for size in (10, SHORT_MAX * 2):
            body = pattern(size)
            for framing, framed in ((f"Content-Length: {size}", body),
                                    ("Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (size, body))):
                with self.sender() as sender:
                    sender.head("/v1/guarded", framing, "Expect: 100-continue",
                                "Authorization: Bearer " + token(role="shop_anonymous"))
                    self.assertEqual(sender.answer()[0], 100)
                    sender.send(framed)
                    self.assertEqual(json.loads(sender.answer()[2])["digest"], digest(body))

    def test_a_short_body_that_is_refused_costs_no_connection(self):
        with self.sender() as sender:
            sender.head("/v1/guarded", "Content-Length: 1000")
            self.assertNotIn("connection", self.assert_refused(sender, 401, "MR062"))
            sender.send(b"x" * 1000)
            sender.head("/v1/files", "Content-Length: 2")
            sender.send(b"ab")
            self.assertEqual(json.loads(sender.answer()[2])["size"], 2)

    def test_more_than_its_route_allows_ends_it(self):
        count = len(self.one.uploads) + 1
        with self.sender() as sender:
            sender.head("/v1/small", "Transfer-Encoding: chunked")
            sender.chunk(pattern(CAP - 10))
            upload = self.arrived(count, CAP - 10)
            sender.chunk(pattern(11))
            self.assertEqual(self.assert_refused(sender, 413, "MR005")["connection"], "close")
            self.assertTrue(sender.ended())
        self.assert_incomplete(upload)
        with self.sender() as sender:
            sender.head("/v1/small", "Transfer-Encoding: chunked")
            sender.send(b"%x\r\n" % (CAP + 1))
            self.assert_refused(sender, 413, "MR005")
        self.assertEqual(len(self.one.uploads), count)
        self.assert_well()

    def test_garbage_among_the_chunks_ends_it(self):
        count = len(self.one.uploads) + 1
        with self.sender() as sender:
            sender.head("/v1/files", "Transfer-Encoding: chunked")
            sender.chunk(pattern(SHORT_MAX * 2))
            upload = self.arrived(count, SHORT_MAX * 2)
            sender.send(b"what\r\n")
            self.assertEqual(self.assert_refused(sender, 400, "MR001")["connection"], "close")
        self.assert_incomplete(upload)
        self.assert_well()

    def test_a_client_that_goes_away_leaves_it_incomplete(self):
        for framing in (f"Content-Length: {SHORT_MAX * 4}", "Transfer-Encoding: chunked"):
            count = len(self.one.uploads) + 1
            with self.sender() as sender:
                sender.head("/v1/files", framing)
                (sender.chunk if "chunked" in framing else sender.send)(pattern(SHORT_MAX * 2))
                upload = self.arrived(count, SHORT_MAX * 2)
            self.assert_incomplete(upload)
        self.assert_well()

    def test_a_client_that_stops_is_told_so(self):
        count = len(self.one.uploads) + 1
        with self.sender() as sender:
            sender.head("/v1/files", f"Content-Length: {SHORT_MAX * 4}")
            sender.send(pattern(SHORT_MAX))
            self.assertEqual(self.assert_refused(sender, 408, "MR010")["connection"], "close")
        self.assert_incomplete(self.arrived(count))
        with self.sender() as sender:  # a short one, which the service does not get
            sender.head("/v1/files", "Content-Length: 100")
            self.assert_refused(sender, 408, "MR010")
        self.assertEqual(len(self.one.uploads), count)

    # What the service makes of it.

    def test_an_answer_that_comes_early_ends_it(self):
        for framing in (f"Content-Length: {HUGE}", "Transfer-Encoding: chunked"):
            for closes in ("", "&closes=1"):
                with self.sender() as sender:
                    sender.head(f"/v1/files/early?after=200000&status=413{closes}", framing)
                    sending = threading.Thread(target=self.flood, args=(sender, "chunked" in framing))
                    sending.start()
                    status, fields, body = sender.answer()
                    self.assertEqual((status, json.loads(body), fields["connection"]), (413, {"early": True}, "close"))
                    sending.join(20)
                    self.assertFalse(sending.is_alive(), "all of it was read")
                if not closes:
                    wait_until(lambda: self.one.ended_after is not None, 10, "the service still waits for the rest")
                    self.assertLess(self.one.ended_after, HUGE // 4)
                    self.one.ended_after = None
        self.assert_well()

    @staticmethod
    def flood(sender, chunked):
        with contextlib.suppress(OSError):
            for _ in range(HUGE // len(PIECE)):
                (sender.chunk if chunked else sender.send)(PIECE)

    def test_an_early_answer_reaches_a_client_that_sends_nothing_meanwhile(self):
        with self.sender() as sender:
            sender.head("/v1/files/early?after=1000&status=401", f"Content-Length: {HUGE}")
            sender.send(pattern(1000))
            status, fields, _ = sender.answer()
            self.assertEqual((status, fields["connection"]), (401, "close"))
            self.assertTrue(sender.ended())

    def test_a_service_that_takes_too_long_is_504(self):
        with self.sender() as sender:
            sender.head("/v1/hasty/wait", f"Content-Length: {HUGE}")
            sending = threading.Thread(target=self.flood, args=(sender, False))
            sending.start()
            self.assertEqual(self.assert_refused(sender, 504, "MR052")["connection"], "close")
            sending.join(20)
        self.one.go_on.set()

    # Once more, elsewhere.

    def test_a_short_body_is_sent_once_more(self):
        body = pattern(SHORT_MAX)
        before = len(self.one.uploads), len(self.other.uploads)
        for _ in range(4):
            with self.sender() as sender:
                sender.head("/v1/both/refuse", f"Content-Length: {len(body)}")
                sender.send(body)
                self.assertEqual(sender.answer()[0], 502)  # both were asked
        self.assertEqual((len(self.one.uploads), len(self.other.uploads)), (before[0] + 4, before[1] + 4))

    def test_a_long_one_only_while_its_first_piece_is_held(self):
        body = pattern(SHORT_MAX * 4)
        for first in (0, 1000):  # so much is there when the address that is asked first closes the connection
            before = len(self.one.uploads) + len(self.other.uploads)
            with self.sender() as sender:
                sender.head("/v1/both/refuse", f"Content-Length: {len(body)}")
                sender.send(body[:first])
                self.assertEqual(sender.answer()[0], 502)
            self.assertEqual(len(self.one.uploads) + len(self.other.uploads), before + 2)
        for method, path in (("POST", "/v1/both/refuse"),  # would perhaps be done twice
                             ("PUT", f"/v1/both/drop?after={SHORT_MAX * 2}")):
            before = len(self.one.uploads) + len(self.other.uploads)
            with self.sender() as sender:
                sender.head(path, f"Content-Length: {len(body)}", method=method)
                sender.send(body[:SHORT_MAX * 2 if method == "PUT" else 0])
                self.assertEqual(sender.answer()[0], 502)
            self.assertEqual(len(self.one.uploads) + len(self.other.uploads), before + 1)

    def test_a_connection_that_was_kept_and_has_died_costs_no_answer(self):
        self.assert_well()
        for socket_ in self.one.sockets:
            with contextlib.suppress(OSError):
                socket_.shutdown(socket.SHUT_RDWR)
        self.assert_well()

    # Encrypted.

    def test_from_a_client_over_tls(self):
        cert, key = self.certificate
        server = Millrace(self.directory, self.server.settings["MILLRACE_DATABASE_URL"], name="sealed",
                          config=Path(self.directory) / "config" / "millrace.json",
                          env={"MILLRACE_TLS_CERT_FILE": cert, "MILLRACE_TLS_KEY_FILE": key})
        server.start()
        self.addCleanup(server.stop)
        body = pattern(5_000_000)
        with Sender(server.port, tls=ssl.create_default_context(cafile=str(cert))) as sender:
            for framing, framed in ((f"Content-Length: {len(body)}", body),
                                    ("Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))):
                sender.head("/v1/files", framing)
                sender.send(framed + b"GET /v1/products?id=eq.1&select=id HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertEqual(json.loads(sender.answer()[2])["digest"], digest(body))
                self.assertEqual(json.loads(sender.answer()[2]), [{"id": 1}])
            sender.head("/v1/files/early?after=1000&status=401", f"Content-Length: {HUGE}")
            sender.send(pattern(1000))
            self.assertEqual(sender.answer()[0], 401)

    def test_to_a_service_over_tls(self):
        body, before = pattern(5_000_000), len(self.sealed.sockets)
        with self.sender() as sender:
            for framing, framed in ((f"Content-Length: {len(body)}", body),
                                    ("Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))):
                sender.head("/v1/sealed/interim", framing)
                sender.send(framed)
                told = json.loads(sender.answer()[2])
                self.assertEqual((told["service"], told["digest"]), ("sealed", digest(body)))
        self.assertEqual(len(self.sealed.sockets) - before, 1)

    def test_an_early_answer_over_tls(self):
        with self.sender() as sender:
            sender.head("/v1/sealed/early?after=200000&status=413", f"Content-Length: {HUGE}")
            sending = threading.Thread(target=self.flood, args=(sender, False))
            sending.start()
            self.assertEqual(sender.answer()[0], 413)
            sending.join(20)
        with self.sender() as sender:
            sender.head("/v1/sealed/early?after=1000&status=401", f"Content-Length: {HUGE}")
            sender.send(pattern(1000))
            self.assertEqual(sender.answer()[0], 401)


if __name__ == "__main__":
    main()

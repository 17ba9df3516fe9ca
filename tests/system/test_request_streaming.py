"""Large bodies of requests to services: passed on while they come, in bounded memory, whole."""
import contextlib
import hashlib
import json
import select
import ssl
import threading
import time
from pathlib import Path

from harness import main
from receivers import Sender
from uploads import GROWTH_KIB_MAX, HUGE, PATIENCE_MS, PIECE, RATE_MIN, SHORT_MAX, Uploads, digest, pattern

from stack.millrace import Millrace  # noqa: E402


class RequestStreaming(Uploads):
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

    def test_whoever_sends_fast_enough_has_the_time_that_it_takes(self):
        body, steps = pattern(SHORT_MAX * 4), 8
        step = len(body) // steps
        began = time.monotonic()
        with self.sender() as sender:
            sender.head("/v1/hurried", f"Content-Length: {len(body)}")
            for at in range(0, len(body), step):
                time.sleep(step / RATE_MIN * 0.8)
                sender.send(body[at:at + step])
            self.assertEqual(json.loads(sender.answer()[2])["digest"], digest(body))
        self.assertGreater(time.monotonic() - began, 1, "the route's time was long enough")

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

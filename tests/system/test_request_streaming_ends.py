"""Large bodies that do not get through: refused, broken off or answered early, and never mistaken for whole."""
import contextlib
import json
import select
import socket
import threading
import time

from harness import main, token, wait_until
from uploads import CAP, HUGE, RATE_MIN, SHORT_MAX, Uploads, digest, pattern


class RequestStreamingEnds(Uploads):
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

    def test_a_client_that_sends_too_slowly_has_no_more_time_than_others(self):
        count = len(self.one.uploads) + 1
        step = RATE_MIN // 20
        with self.sender() as sender:
            sender.head("/v1/hurried", f"Content-Length: {HUGE}")
            began = time.monotonic()
            answered = False
            while not answered and time.monotonic() - began < 10:
                sender.send(pattern(step))
                answered = bool(select.select([sender.link], [], [], 0.2)[0])
            self.assert_refused(sender, 408, "MR010")
        self.assertLess(time.monotonic() - began, 5)
        self.assert_incomplete(self.arrived(count))

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


if __name__ == "__main__":
    main()

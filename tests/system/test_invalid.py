"""Invalid input of every kind: each has its documented error, and the server goes on."""
import os
import random
import re
import socket

from harness import SystemTest, main

GOOD = b"Host: localhost\r\n"


class InvalidInput(SystemTest):
    def raw(self, data, timeout_s=10):
        """What comes back for these bytes until the server closes."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=timeout_s) as link:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := link.recv(65536):
                answer += piece
            return answer

    def tearDown(self):
        self.assertEqual(self.get("/v1/products?id=eq.1").status, 200)

    def test_queries(self):
        cases = {
            "nonsense=eq.1": "42703", "select=nonsense": "42703", "order=nonsense": "42703", "id=foo.1": "PGRST100",
            "id=eq": "PGRST100", "select=id(": "PGRST100", "select=nonsense(*)": "PGRST200", "or=(id.eq.1": "PGRST100",
            "order=id.sideways": "PGRST100", "id=eq.abc": "22P02", "id=in.(1,x)": "22P02", "select=id::nonsense": "42704",
            "orders.id=eq.1": "PGRST108", "select=%zz": "PGRST100", "id=is.maybe": "PGRST100",
            "id=eq.1%00": None, "select=id,": "PGRST100",
        }
        for query, code in cases.items():
            with self.subTest(query):
                response = self.get("/v1/products?" + query)
                self.assertEqual(response.status, 400, response.text[:300])
                if code:
                    self.assertEqual(response.json["code"], code, response.text)
                self.assertEqual(set(response.json), {"code", "message", "details", "hint"})

    def test_ranges_and_media(self):
        self.assertEqual(self.get("/v1/products?limit=-1").status, 416)
        self.assertEqual(self.get("/v1/products", {"Range-Unit": "items", "Range": "9-1"}).status, 416)
        self.assertEqual(self.get("/v1/products?limit=1", {"Accept": "image/png"}).status, 406)

    def test_methods(self):
        self.assertEqual(self.send("POST", "/v1/categories", {"name": "x"}).status, 405)
        self.assertIn("allow", self.send("POST", "/v1/categories", {"name": "x"}).headers)
        self.assertEqual(self.send("BREW", "/v1/products").status, 501)
        self.assertEqual(self.send("TRACE", "/v1/products").status, 501)

    def test_framing(self):
        get = b"GET /v1/products?id=eq.1 HTTP/1.1\r\n"
        post = b"POST /v1/products HTTP/1.1\r\nContent-Type: application/json\r\n"
        cases = {
            "no host": (get + b"\r\n", 400),
            "two hosts": (get + GOOD + GOOD + b"\r\n", 400),
            "empty host": (get + b"Host:\r\n\r\n", 400),
            "host with a user": (get + b"Host: a@b\r\n\r\n", 400),
            "host with a path": (get + b"Host: a/b\r\n\r\n", 400),
            "host with a comma": (get + b"Host: a,b\r\n\r\n", 400),
            "length and coding": (post + GOOD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            "two lengths": (post + GOOD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
            "signed length": (post + GOOD + b"Content-Length: +2\r\n\r\n{}", 400),
            "length list": (post + GOOD + b"Content-Length: 2, 2\r\n\r\n{}", 400),
            "other coding": (post + GOOD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", (400, 501)),
            "chunked twice": (post + GOOD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", (400, 501)),
            "chunked in 1.0": (post.replace(b"1.1", b"1.0") + GOOD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            "folded line": (get + GOOD + b"X-A: b\r\n c\r\n\r\n", 400),
            "bare line feed": (get.replace(b"\r\n", b"\n") + GOOD + b"\r\n", 400),
            "bare return": (get + GOOD + b"X-A: b\rc\r\n\r\n", 400),
            "space before colon": (get + b"Host : a\r\n\r\n", 400),
            "control byte": (get + GOOD + b"X-A: \x01\r\n\r\n", 400),
            "byte above ascii": (get + GOOD + b"X-A: \xff\r\n\r\n", 400),
            "target above ascii": (b"GET /v1/\xc3\xa9 HTTP/1.1\r\n" + GOOD + b"\r\n", 400),
            "connect": (b"CONNECT a:1 HTTP/1.1\r\n" + GOOD + b"\r\n", 501),
            "get of all": (b"GET * HTTP/1.1\r\n" + GOOD + b"\r\n", 400),
            "old version": (b"GET / HTTP/0.9\r\n" + GOOD + b"\r\n", 505),
            "new version": (b"GET / HTTP/2.0\r\n" + GOOD + b"\r\n", 505),
            "no version": (b"GET /\r\n\r\n", 400),
            "long head": (get + GOOD + b"X-A: " + b"a" * 20000 + b"\r\n\r\n", 431),
            "many fields": (get + GOOD + b"X-A: b\r\n" * 200 + b"\r\n", 431),
            "long target": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + GOOD + b"\r\n", 414),
            "bad chunk": (post + GOOD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
            "huge body": (post + GOOD + b"Content-Length: 99999999\r\n\r\n", 413),
            "endless length": (post + GOOD + b"Content-Length: 99999999999999999999999\r\n\r\n", (400, 413)),
        }
        for name, (data, status) in cases.items():
            with self.subTest(name):
                answer = self.raw(data)
                statuses = status if isinstance(status, tuple) else (status,)
                self.assertTrue(answer.startswith(b"HTTP/1.1 "), answer[:80])
                self.assertIn(int(answer[9:12]), statuses, answer[:300])
                self.assertIn(b"\r\nDate: ", answer)
                self.assertIn(b"\r\nConnection: close\r\n", answer)
                self.assertIn(b'"code":', answer)
                self.assertEqual(len(re.findall(rb"HTTP/1\.1 \d", answer)), 1)

    def test_a_request_hidden_behind_a_refused_one_is_never_answered(self):
        hidden = b"GET /v1/products?id=eq.2 HTTP/1.1\r\n" + GOOD + b"\r\n"
        smuggled = b"POST /v1/products HTTP/1.1\r\n" + GOOD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        self.assertEqual(len(re.findall(rb"HTTP/1\.1 \d", self.raw(smuggled + hidden))), 1)

    def test_pipelined_requests_are_answered_in_order(self):
        requests = b"".join(b"GET /v1/products?id=eq.%d&select=id HTTP/1.1\r\n" % n + GOOD + b"\r\n" for n in range(1, 11))
        answer = self.raw(requests)
        found = [answer.find(b'[{"id":%d}]' % n) for n in range(1, 11)]
        self.assertEqual(found, sorted(found))
        self.assertNotIn(-1, found)

    def test_random_bytes_do_no_harm(self):
        seed = int(os.environ.get("TEST_SEED", random.randrange(2**32)))
        print(f"seed {seed}")
        chance = random.Random(seed)
        good = b"POST /v1/products?select=id HTTP/1.1\r\n" + GOOD + b"Content-Length: 2\r\nPrefer: count=exact\r\n\r\n{}"
        for _ in range(300):
            data = bytearray(good)
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            answer = self.raw(bytes(data))
            if answer:
                self.assertTrue(answer.startswith(b"HTTP/1."), bytes(data))
                self.assertNotIn(b" 500 ", answer[:20], bytes(data))


if __name__ == "__main__":
    main()

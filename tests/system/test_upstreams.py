"""Routes that are HTTP services: real ones behind, asked as RFC 9110 wants it of a gateway."""
import http.client
import socket
import threading
import time
from pathlib import Path

from harness import main, token, wait_until
from services import BIG, PIECE
from upstreams import Upstreams, route

GROWTH_KIB_MAX = 32 * 1024


class Forwarding(Upstreams):
    settings = {"limits": {"breaker_failures_max": 1000}, "proxies": {"trusted": ["127.0.0.2"]}}

    @classmethod
    def routes(cls):
        cls.one = cls.service()
        url = cls.one.url
        return {"orders": route([url]),
                "mapped": route([url + "/base/"], path="/api/v7"),
                "trusted": route([url], forward_authorization=True, set_headers={"X-Tenant": "ours"}, remove_headers=["X-Powered-By"]),
                "readonly": route([url], methods=["GET"]),
                "quick": route([url], timeout_ms=500),
                "narrow": route([url], connections_max=1, connect_timeout_ms=300),
                "small": route([url], body_bytes_max=10)}

    def last(self):
        return self.one.asked[-1]

    def test_a_name_and_all_below_it_are_the_services(self):
        for path, target in (("/v1/orders", "/orders"), ("/v1/orders/7?a=b%20c&d", "/orders/7?a=b%20c&d"),
                             ("/v1/orders/", "/orders/"), ("/v1/orders/a%2Fb/%C3%B6", "/orders/a%2Fb/%C3%B6"),
                             ("/v1/mapped/x?y", "/base/api/v7/x?y")):
            answer = self.get(path)
            self.assertEqual((answer.status, answer.json["target"]), (200, target), path)

    def test_every_method_and_body_goes_through(self):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = self.send(method, "/v1/orders", body=None if method in ("GET", "OPTIONS") else '{"a":1}', Content_Type="application/json")
            self.assertEqual((answer.status, answer.json["method"]), (200, method))
            self.assertEqual(answer.json["body"], "" if method in ("GET", "OPTIONS") else '{"a":1}')
        head = self.send("HEAD", "/v1/orders")
        self.assertEqual((head.status, head.body, self.last()["method"]), (200, b"", "HEAD"))
        for status in (201, 204, 302, 404, 418, 500):
            self.assertEqual(self.get(f"/v1/orders?status={status}").status, status)

    def test_other_routes_are_postgres_as_ever(self):
        self.assertEqual(len(self.get("/v1/products?limit=3").json), 3)
        self.assertEqual(self.get("/v1/nothing").status, 404)

    def test_nothing_leads_out_of_the_route(self):
        for path in ("/v1/orders/../products", "/v1/orders/%2e%2e/x", "/v1/orders/..%2fx", "/v1/orders/a/%252e%252e/x", "/v1/orders/%00"):
            before = len(self.one.asked)
            with socket.create_connection(("127.0.0.1", self.server.port)) as link:
                link.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
                self.assertIn(b" 400 ", link.makefile("rb").readline(), path)
            self.assertEqual(len(self.one.asked), before)

    def test_methods_that_the_route_does_not_list_are_refused(self):
        answer = self.send("POST", "/v1/readonly", body="x")
        self.assert_error(answer, 405, "MR032")
        self.assertEqual(answer.headers["allow"], "OPTIONS,GET,HEAD")

    def test_fields_on_their_way_there(self):
        self.get("/v1/orders", {"Authorization": "Bearer " + token(role="shop_anonymous"), "Connection": "X-Private", "X-Private": "1",
                                "TE": "trailers", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                "X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https", "Forwarded": "for=198.51.100.1;proto=https",
                                "X-Real-IP": "198.51.100.1", "X-Request-Id": "mine", "X-Tenant": "theirs"})
        fields = self.last()["headers"]
        for name in ("authorization", "x-private", "te", "connection"):
            self.assertNotIn(name, fields)
        self.assertEqual(fields["traceparent"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        self.assertEqual((fields["x-forwarded-for"], fields["x-forwarded-proto"], fields["x-request-id"]), ("127.0.0.1", "http", "mine"))
        self.assertNotIn("x-real-ip", fields)
        self.assertEqual((fields["via"], fields["host"]), ("1.1 millrace", f"127.0.0.1:{self.one.port}"))
        self.assertEqual(fields["forwarded"], f'for=127.0.0.1;host="127.0.0.1:{self.server.port}";proto=http')
        self.get("/v1/trusted", {"Authorization": "Bearer " + token(role="shop_anonymous"), "X-Tenant": "theirs"})
        fields = self.last()["headers"]
        self.assertTrue(fields["authorization"].startswith("Bearer "))
        self.assertEqual(fields["x-tenant"], "ours")

    def test_what_a_trusted_proxy_says_of_the_client_is_told(self):
        link = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10, source_address=("127.0.0.2", 0))
        link.request("GET", "/v1/orders", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Forwarded-Proto": "https",
                                                   "Host": "api.example"})
        self.assertEqual(link.getresponse().status, 200)
        link.close()
        fields = self.last()["headers"]
        self.assertEqual((fields["x-forwarded-for"], fields["x-forwarded-proto"]), ("203.0.113.9", "https"))
        self.assertEqual(fields["forwarded"], 'for=203.0.113.9;host="api.example";proto=https')

    def test_fields_on_their_way_back(self):
        link = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        link.request("GET", "/v1/trusted/fields", headers={"X-Request-Id": "mine"})
        fields = [(name.lower(), value) for name, value in link.getresponse().getheaders()]
        names = [name for name, _ in fields]
        link.close()
        for gone in ("x-hop", "keep-alive", "x-powered-by", "connection"):
            self.assertNotIn(gone, names)
        self.assertEqual([value for name, value in fields if name == "set-cookie"], ["a=b", "c=d"])
        for name, value in (("x-kept", "z"), ("via", "1.1 millrace"), ("x-request-id", "mine"), ("server", "millrace")):
            self.assertEqual([v for n, v in fields if n == name], [value])
        self.assertEqual(names.count("date"), 1)

    def test_the_gateway_checks_tokens_itself(self):
        self.assertEqual(self.get("/v1/orders", {"Authorization": "Bearer nonsense"}).status, 401)

    def test_a_connection_is_used_again(self):
        self.get("/v1/orders")
        before = len(self.one.connections)
        for _ in range(20):
            self.get("/v1/orders")
        self.assertLessEqual(len(self.one.connections) - before, 1)

    def test_a_body_has_its_limit(self):
        self.assertEqual(self.send("POST", "/v1/small", body="0123456789").status, 200)
        self.assertEqual(self.send("POST", "/v1/small", body="01234567890").status, 413)

    def test_a_large_answer_takes_no_memory(self):
        pid = self.server.pid

        def memory_kib(name):
            return next(int(line.split()[1]) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(name))
        for path in ("/v1/orders/big", "/v1/orders/big?chunked=1"):
            before = memory_kib("VmRSS")
            Path(f"/proc/{pid}/clear_refs").write_text("5")
            link = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            link.request("GET", path)
            answer = link.getresponse()
            size = 0
            while piece := answer.read(len(PIECE)):
                self.assertEqual(piece, PIECE[:len(piece)])
                size += len(piece)
            link.close()
            self.assertEqual(size, BIG)
            self.assertLess(memory_kib("VmHWM") - before, GROWTH_KIB_MAX)

    def test_a_client_that_reads_slowly_holds_the_service_back(self):
        self.one.sent = 0
        with socket.create_connection(("127.0.0.1", self.server.port)) as link:
            link.sendall(b"GET /v1/orders/big HTTP/1.1\r\nHost: a\r\n\r\n")
            time.sleep(1)
            self.assertLess(self.one.sent, BIG // 2)
        self.assertEqual(self.get("/v1/orders").status, 200)

    def test_what_comes_bit_by_bit_goes_on_bit_by_bit(self):
        self.one.go_on.clear()
        link = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        link.request("GET", "/v1/orders/drip?events=3")
        answer = link.getresponse()
        for number in range(3):
            self.assertEqual(answer.readline(), b"data: %d\n" % number)
            self.assertEqual(answer.readline(), b"\n")
            self.one.go_on.set()
        self.assertEqual(answer.read(), b"")
        link.close()

    def test_a_client_that_goes_away_ends_the_services_work(self):
        with socket.create_connection(("127.0.0.1", self.server.port)) as link:
            link.sendall(b"GET /v1/orders/hang HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until(lambda: self.one.hanging == 1, 5, "the request does not arrive")
        wait_until(lambda: self.one.hanging == 0, 5, "the request goes on")

    def test_what_is_no_http_is_502(self):
        ok = b"HTTP/1.1 200 OK\r\n"
        for raw in (b"garbage", b"SSH-2.0-x\r\n\r\n", ok + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
                    ok + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", ok + b"A b\r\n\r\n", ok + b"A: " + b"x" * 70000 + b"\r\n\r\n",
                    b"HTTP/1.1 101 Switching Protocols\r\n\r\n", ok, b"", ok + b"Content-Length: 5\r\n\r\nx"):
            self.one.raw = raw
            self.assert_error(self.get("/v1/orders/raw"), 502, "MR051")
        self.assertEqual(self.get("/v1/orders").status, 200)

    def test_interim_answers_are_passed_over(self):
        self.one.raw = (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        answer = self.get("/v1/orders/raw")
        self.assertEqual((answer.status, answer.text), (200, "ok"))
        self.assertNotIn("link", answer.headers)

    def test_a_body_that_breaks_off_is_never_taken_for_whole(self):
        for head in (b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
                     b"Content-Length: 1000000\r\n\r\nhello"):
            self.one.raw = b"HTTP/1.1 200 OK\r\n" + head
            with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
                self.get("/v1/orders/raw")

    def test_what_does_not_answer_is_504(self):
        began = time.monotonic()
        self.assert_error(self.get("/v1/quick/hang"), 504, "MR052")
        self.assertLess(time.monotonic() - began, 3)
        wait_until(lambda: self.one.hanging == 0, 5, "the request goes on")

    def test_connections_have_a_bound_and_who_waits_too_long_is_told(self):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.get("/v1/narrow?ms=100").status)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [200, 200, 200])
        blocker = threading.Thread(target=lambda: self.get("/v1/narrow?ms=1500"))
        blocker.start()
        time.sleep(0.3)
        answer = self.get("/v1/narrow")
        blocker.join()
        self.assert_error(answer, 503, "MR050")
        self.assertIn("retry-after", answer.headers)

    def test_a_service_may_close_a_kept_connection(self):
        self.get("/v1/orders")
        for connection in list(self.one.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for _ in range(5):
            self.assertEqual(self.get("/v1/orders").status, 200)
            self.assertEqual(self.send("POST", "/v1/orders", body="x").status, 200)


if __name__ == "__main__":
    main()

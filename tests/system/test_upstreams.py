"""Routes that are HTTP services: real ones behind, asked as RFC 9110 wants it of a gateway."""
import http.client
import json
import socket
import threading
import time
from pathlib import Path

from harness import SECRET, SystemTest, main, token, wait_until
from services import BIG, PIECE, Service

from stack import free_port  # noqa: E402

GROWTH_KIB_MAX = 32 * 1024


def route(urls, **more):
    policies = {key: more.pop(key) for key in ("cache", "methods", "body_bytes_max") if key in more}
    return {"upstream": {"urls": urls, **more}, **policies}


class Upstreams(SystemTest):
    """`routes()` of a class gives what its route table says; services start before the processes do."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.services = []
        cls.addClassCleanup(lambda: [service.stop() for service in cls.services])
        resources = cls.routes()

        def config(directory):
            path = Path(directory) / "config"
            path.mkdir()
            (path / "v1.json").write_text(json.dumps({"version": "v1", "schema": "shop", "expose": "schema",
                                                      "resources": resources}))
            (path / "millrace.json").write_text(json.dumps({"routes": ["v1.json"], "auth": {"jwt_secret": SECRET}, **cls.settings}))
            return path / "millrace.json"

        cls.config = staticmethod(config)
        super().setUpClass()

    @classmethod
    def service(cls, name="service", **options):
        made = Service(name, **options).start()
        cls.services.append(made)
        return made


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


class Addresses(Upstreams):
    settings = {"limits": {"breaker_failures_max": 3, "breaker_open_ms": 500}}

    @classmethod
    def routes(cls):
        cls.a, cls.b = cls.service("a"), cls.service("b")
        cls.dead = f"http://127.0.0.1:{free_port()}"
        return {"both": route([cls.a.url, cls.b.url]),
                "half": route([cls.a.url, cls.dead]),
                "none": route([cls.dead], connect_timeout_ms=500),
                "watched": route([cls.a.url, cls.b.url], health_path="/health/echo", health_every_ms=100),
                "breaking": route([cls.b.url], timeout_ms=2000),
                "left": route([cls.b.url]),
                "counted": route([cls.a.url, cls.dead])}

    @staticmethod
    def asked(*services):
        """How often, but for the checks, which come when they will."""
        return sum(not one["target"].startswith("/health") for service in services for one in service.asked)

    def names(self, path, count=10):
        return [self.get(path).json["service"] for _ in range(count)]

    def answers(self, path, count=10):
        return [answer.json["service"] if answer.status == 200 else None for answer in (self.get(path) for _ in range(count))]

    def test_requests_go_round(self):
        names = self.names("/v1/both", 20)
        self.assertEqual((names.count("a"), names.count("b")), (10, 10))

    def test_the_one_with_less_to_do_is_asked(self):
        slow = []
        # One of the two gets this one; all that follow go to the other.
        busy = threading.Thread(target=lambda: slow.append(self.get("/v1/both?ms=1500").json["service"]))
        busy.start()
        time.sleep(0.3)
        names = self.names("/v1/both", 20)
        busy.join()
        self.assertEqual(len(set(names)), 1)
        self.assertNotEqual(names[0], slow[0])

    def test_a_dead_address_costs_nobody_an_answer(self):
        for number in range(30):
            method = ("GET", "POST", "DELETE")[number % 3]
            answer = self.send(method, "/v1/half", body="x" if method == "POST" else None)
            self.assertEqual((answer.status, answer.json["service"]), (200, "a"))

    def test_what_fails_after_it_was_sent_is_not_done_twice(self):
        self.a.raw = self.b.raw = b""  # the connection closes instead of an answer
        before = self.asked(self.a, self.b)
        self.assertEqual(self.send("POST", "/v1/both/raw", body="x").status, 502)
        self.assertEqual(self.asked(self.a, self.b), before + 1)
        self.assertEqual(self.get("/v1/both/raw").status, 502)
        # Each address, and each of them once more on a new connection if it closed one that was kept.
        self.assertIn(self.asked(self.a, self.b), range(before + 3, before + 6))
        time.sleep(0.6)
        self.names("/v1/both", 4)

    def test_nobody_there_is_503_and_then_left_alone(self):
        codes = [self.get("/v1/none") for _ in range(6)]
        self.assert_error(codes[0], 503, "MR050")
        self.assert_error(codes[-1], 503, "MR053")
        self.assertIn("retry-after", codes[-1].headers)

    def test_a_breaker_opens_and_closes_again(self):
        self.b.status = 503
        try:
            answers = [self.get("/v1/breaking") for _ in range(5)]
            self.assertEqual([answer.text for answer in answers[:3]], ["down"] * 3)
            self.assert_error(answers[3], 503, "MR053")
            asked = self.asked(self.b)
            self.get("/v1/breaking")
            self.assertEqual(self.asked(self.b), asked)
        finally:
            self.b.status = 200
        wait_until(lambda: self.get("/v1/breaking").status == 200, 5, "it stays open")

    def test_clients_that_go_away_say_nothing_about_an_address(self):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", self.server.port)) as link:
                link.sendall(b"GET /v1/left/hang HTTP/1.1\r\nHost: a\r\n\r\n")
                wait_until(lambda: self.b.hanging == 1, 5, "the request does not arrive")
            wait_until(lambda: self.b.hanging == 0, 5, "the request goes on")
        self.assertEqual(self.get("/v1/left").status, 200)

    def value(self, name, **labels):
        given = ",".join(f'{label}="{value}"' for label, value in {"version": "v1", **labels}.items())
        return self.server.metrics().get(f"{name}{{{given}}}", 0)

    def test_metrics_tell_how_a_service_does(self):
        for number in range(4):
            self.assertEqual(self.get("/v1/counted").status, 200, number)
        self.assertEqual(self.get("/v1/counted?status=500").status, 500)
        attempts = {result: self.value("millrace_service_attempts_total", route="counted", result=result)
                    for result in ("ok", "5xx", "connect", "lost", "timed_out", "garbage", "full")}
        self.assertEqual((attempts["ok"], attempts["5xx"]), (4, 1))
        self.assertGreaterEqual(attempts["connect"], 1)
        self.assertEqual(attempts["lost"] + attempts["timed_out"] + attempts["garbage"] + attempts["full"], 0)
        self.assertEqual(self.value("millrace_service_retries_total", route="counted"), attempts["connect"])
        self.assertEqual(self.value("millrace_service_attempt_seconds_count", route="counted"), sum(attempts.values()))
        self.assertGreaterEqual(self.value("millrace_service_connections", route="counted", state="open"), 1)
        self.assertEqual(self.value("millrace_service_connections", route="counted", state="used"), 0)
        self.assertEqual(self.value("millrace_service_queue", route="counted"), 0)
        self.assertEqual(self.value("millrace_service_addresses", route="counted", state="known"), 2)
        self.assertIn('"event":"service","version":"v1","route":"counted","address":"' + self.dead, self.server.log_text())
        with socket.create_connection(("127.0.0.1", self.server.port)) as link:
            link.sendall(b"GET /v1/counted/hang HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until(lambda: self.value("millrace_service_connections", route="counted", state="used") == 1, 5, "not counted as used")
        wait_until(lambda: self.value("millrace_service_connections", route="counted", state="used") == 0, 5, "still counted as used")

    def test_an_address_that_fails_its_check_gets_nothing(self):
        self.b.status = 500
        try:
            wait_until(lambda: set(self.answers("/v1/watched")) == {"a"}, 5, "not noticed")
            wait_until(lambda: self.value("millrace_service_addresses", route="watched", state="up") == 1, 5, "it is counted as up")
            self.a.status = 500
            wait_until(lambda: self.get("/v1/watched").status == 503, 5, "not noticed")
        finally:
            self.a.status = self.b.status = 200
        wait_until(lambda: set(self.answers("/v1/watched")) == {"a", "b"}, 5, "they stay down")


class Caching(Upstreams):
    replicas = 2

    @classmethod
    def routes(cls):
        cls.one = cls.service()
        return {"things": route([cls.one.url], timeout_ms=2000),
                "timed": route([cls.one.url], cache={"ttl_s": 60}),
                "trusted": route([cls.one.url], forward_authorization=True)}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql("grant usage on schema millrace to shop_api; grant execute on function millrace.purge(text[]) to shop_api",
                         "shop")
        time.sleep(2)  # until all replicas have read the catalog anew: what is kept before that is of another one

    def setUp(self):
        self.one.fields, self.one.etag, self.one.status = [], None, 200

    def say(self, *control, etag=None, **fields):
        self.one.fields = [("Cache-Control", ", ".join(control))] if control else []
        self.one.fields += [(name.replace("_", "-"), value) for name, value in fields.items()]
        self.one.etag = etag

    def number(self, path, headers=None, replica=0):
        answer = self.cluster.replicas[replica].request(path, headers=headers)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json["number"]

    def test_an_answer_lives_as_long_as_it_says(self):
        self.say("max-age=2", Age="1")
        first = self.get("/v1/things/kept?lives")
        self.assertEqual(first.headers["cache-status"], "millrace; fwd=uri-miss; stored")
        again = self.get("/v1/things/kept?lives")
        self.assertEqual(again.json, first.json)
        self.assertIn("hit", again.headers["cache-status"])
        self.assertGreaterEqual(int(again.headers["age"]), 1)
        self.assertEqual(again.headers["cache-control"], "max-age=2")
        time.sleep(1.2)
        self.assertNotEqual(self.get("/v1/things/kept?lives").json, first.json)

    def test_what_says_nothing_is_kept_only_where_the_route_says_so(self):
        self.assertNotEqual(self.number("/v1/things/kept?silent"), self.number("/v1/things/kept?silent"))
        self.assertEqual(self.number("/v1/timed/kept?silent"), self.number("/v1/timed/kept?silent"))
        self.say("no-store")
        self.assertNotEqual(self.number("/v1/timed/kept?secret"), self.number("/v1/timed/kept?secret"))
        self.say("private", "max-age=60")
        self.assertNotEqual(self.number("/v1/timed/kept?mine"), self.number("/v1/timed/kept?mine"))
        self.say("max-age=60", Set_Cookie="a=b")
        self.assertNotEqual(self.number("/v1/timed/kept?cookie"), self.number("/v1/timed/kept?cookie"))

    def test_answers_vary_by_the_fields_they_name(self):
        self.say("max-age=60", Vary="Accept-Language")
        german = self.get("/v1/things/kept?vary", {"Accept-Language": "de"}).json
        english = self.get("/v1/things/kept?vary", {"Accept-Language": "en"}).json
        self.assertEqual((german["language"], english["language"]), ("de", "en"))
        for _ in range(2):
            self.assertEqual(self.get("/v1/things/kept?vary", {"Accept-Language": "de"}).json, german)
            self.assertEqual(self.get("/v1/things/kept?vary", {"Accept-Language": "en"}).json, english)
        other = self.cluster.replicas[1].request("/v1/things/kept?vary", headers={"Accept-Language": "en"})
        self.assertEqual(other.json, english)
        self.assertIn("redis", other.headers["cache-status"])
        self.say("max-age=60", Vary="*")
        self.assertNotEqual(self.number("/v1/things/kept?any"), self.number("/v1/things/kept?any"))

    def test_two_replicas_share_what_one_has_asked_for(self):
        self.say("max-age=60")
        mine = self.number("/v1/things/kept?shared")
        wait_until(lambda: self.number("/v1/things/kept?shared", replica=1) == mine, 5, "not shared")

    def test_what_is_old_is_asked_about_and_renewed(self):
        self.say("max-age=1", etag='"v1"')
        first = self.number("/v1/things/kept?renewed")
        time.sleep(1.2)
        asked = len(self.one.asked)
        self.assertEqual(self.number("/v1/things/kept?renewed"), first)
        self.assertEqual(len(self.one.asked), asked + 1)
        self.assertEqual(self.one.asked[-1]["headers"]["if-none-match"], '"v1"')
        self.assertEqual(self.number("/v1/things/kept?renewed"), first)
        self.assertEqual(len(self.one.asked), asked + 1, "it is fresh again")
        time.sleep(1.2)
        self.one.etag = '"v2"'
        self.assertNotEqual(self.number("/v1/things/kept?renewed"), first)

    def test_a_client_that_has_it_gets_304(self):
        self.say("max-age=60", etag='"a.b-gzip"')
        self.number("/v1/things/kept?conditions")
        answer = self.get("/v1/things/kept?conditions", {"If-None-Match": 'W/"a.b-gzip"'})
        self.assertEqual((answer.status, answer.headers["etag"], answer.body), (304, '"a.b-gzip"', b""))
        self.assertEqual(self.get("/v1/things/kept?conditions", {"If-None-Match": '"a.b"'}).status, 200)

    def test_a_stale_answer_is_better_than_an_error_where_it_says_so(self):
        self.say("max-age=1", "stale-if-error=60")
        first = self.number("/v1/things/kept?error")
        time.sleep(1.2)
        self.one.status = 503
        answer = self.get("/v1/things/kept?error")
        self.assertEqual((answer.status, answer.json.get("number")), (200, first), (answer.headers, answer.text))
        self.assertIn("stale-if-error", answer.headers["cache-status"])
        self.one.status = 200
        self.assertNotEqual(self.number("/v1/things/kept?error"), first)
        self.say("max-age=1", "stale-if-error=60", "must-revalidate")
        self.number("/v1/things/kept?strict")
        time.sleep(1.2)
        self.one.status = 503
        self.assertEqual(self.get("/v1/things/kept?strict").status, 503)

    def test_a_stale_answer_is_given_while_it_is_asked_for_anew(self):
        self.say("max-age=1", "stale-while-revalidate=60")
        first = self.number("/v1/things/kept?behind")
        time.sleep(1.2)
        self.assertEqual(self.number("/v1/things/kept?behind"), first)
        wait_until(lambda: self.number("/v1/things/kept?behind") != first, 5, "not renewed")

    def test_a_write_ends_what_was_kept_of_its_target(self):
        self.say("max-age=60", Vary="Accept-Language")
        first = self.number("/v1/things/kept?written", {"Accept-Language": "de"})
        self.assertEqual(self.number("/v1/things/kept?written", {"Accept-Language": "de"}), first)
        self.assertEqual(self.send("POST", "/v1/things/kept?written&status=200", body="x").status, 200)
        self.assertEqual(self.send("PUT", "/v1/things/kept?written", body="x").status, 200)
        self.assertNotEqual(self.number("/v1/things/kept?written", {"Accept-Language": "de"}), first)

    def test_what_a_caller_was_told_is_shared_only_where_that_is_allowed(self):
        caller = {"Authorization": "Bearer " + token(role="shop_anonymous")}
        self.say("max-age=60")
        self.assertNotEqual(self.number("/v1/trusted/kept?caller", caller), self.number("/v1/trusted/kept?caller", caller))
        anonymous = self.number("/v1/trusted/kept?nobody")
        self.assertEqual(self.number("/v1/trusted/kept?nobody"), anonymous)
        self.assertNotEqual(self.number("/v1/trusted/kept?nobody", caller), anonymous)
        self.say("public", "max-age=60")
        self.assertEqual(self.number("/v1/trusted/kept?public", caller), self.number("/v1/trusted/kept?public", caller))
        self.assertEqual(self.number("/v1/things/kept?gateway", caller), self.number("/v1/things/kept?gateway"))

    def test_a_purge_ends_it(self):
        self.say("max-age=60")
        first = self.number("/v1/things/kept?purged")
        self.assertEqual(self.number("/v1/things/kept?purged"), first)
        done = self.server.admin("/cache/purge", method="POST", body={"route": "v1/things"})
        self.assertEqual(done.status, 200, done.text)
        wait_until(lambda: self.number("/v1/things/kept?purged") != first, 5, "still there")
        # What is read then is kept from the next beat on, which is the first to have seen the purge.
        wait_until(lambda: self.number("/v1/things/kept?purged") == self.number("/v1/things/kept?purged"), 5, "kept no more")

    def test_many_who_want_one_answer_wait_for_one_request(self):
        self.say("max-age=60")
        before = sum(one["target"].endswith("?herd") for one in self.one.asked)
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.number("/v1/things/kept?herd"))) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(answers), len(set(answers))), (16, 1))
        self.assertEqual(sum(one["target"].endswith("?herd") for one in self.one.asked) - before, 1)

    def test_parts_and_heads_are_not_mixed_up_with_the_whole(self):
        self.say("max-age=60")
        whole = self.number("/v1/things/kept?part")
        self.assertNotEqual(self.get("/v1/things/kept?part", {"Range": "bytes=0-1"}).json["number"], whole)
        head = self.send("HEAD", "/v1/things/kept?part")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertIn("hit", head.headers["cache-status"])
        self.assertEqual(self.number("/v1/things/kept?part"), whole)


if __name__ == "__main__":
    main()

"""Several addresses of one service: which is asked, what becomes of those that fail, and what metrics tell of it."""
import socket
import threading
import time

from harness import main, wait_until
from upstreams import Upstreams, route

from stack import free_port  # noqa: E402


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


if __name__ == "__main__":
    main()

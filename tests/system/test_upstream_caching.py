"""What is kept of a service's answers, for how long and for whom (RFC 9111, RFC 5861)."""
import json
import threading
import time

from harness import main, token, wait_until
from upstreams import Upstreams, route


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

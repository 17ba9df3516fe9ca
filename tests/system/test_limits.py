"""Limits and quotas that three replicas share through Redis: exact, cheap in calls, and still there without Redis."""
import json
import threading
import time
from pathlib import Path

from harness import SECRET, SystemTest, main, token, wait_until

ROUTES = {
    "version": "v1", "schema": "shop", "expose": "listed",
    "resources": {
        "products": {},
        "tight": {"relation": "products", "limits": ["20/hour burst 20 by key"]},
        "busy": {"relation": "products", "limits": ["100000/hour burst 2000 by key"], "cache": {"ttl_s": 60}},
        "quick": {"relation": "products", "limits": ["5/second burst 5 by ip"]},
        "daily": {"relation": "products", "limits": ["7/day by key"]},
        "dear": {"relation": "products", "limits": ["100/hour by key"], "cost": 10, "rows_per_cost": 5},
        "free": {"relation": "products", "limits": ["1/hour by key"], "cost": 0},
        "tenant": {"relation": "products", "limits": ["3/hour by claim .tenant"]},
    },
}


def config(directory):
    folder = Path(directory)
    (folder / "v1.json").write_text(json.dumps(ROUTES))
    (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json"]}))
    return folder / "millrace.json"


class Limits(SystemTest):
    replicas = 3
    config = staticmethod(config)
    env = {"MILLRACE_AUTH_JWT_SECRET": SECRET, "MILLRACE_AUTH_PLAN_CLAIM": "plan", "MILLRACE_WORKERS": 2,
           "MILLRACE_REDIS_BUDGET_MS": 1000,  # on a busy machine Redis may be late, and then each worker counts for itself
           "MILLRACE_LIMITS_PLANS": "free: 4/hour by key, pro: 1000/hour by key"}

    def ask(self, route, who, replica=0, **claims):
        headers = {"Authorization": "Bearer " + token(role="shop_anonymous", sub=who, **claims)}
        return self.cluster.replicas[replica].request(f"/v1/{route}?id=eq.1", headers=headers)

    def many(self, route, who, count, **claims):
        """Statuses of so many requests, from a few threads over all replicas."""
        statuses, lock = [], threading.Lock()

        def client(first):
            for number in range(first, count, 6):
                status = self.ask(route, who, number % 3, **claims).status
                with lock:
                    statuses.append(status)

        threads = [threading.Thread(target=client, args=(first,)) for first in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    def test_replicas_together_let_through_what_the_limit_says(self):
        statuses = self.many("tight", "exact", 90)
        # Twenty, and nearly all of them: what a worker holds and does not use in time is lost.
        self.assertLessEqual(statuses.count(200), 20)
        self.assertGreaterEqual(statuses.count(200), 12)
        self.assertEqual(statuses.count(200) + statuses.count(429), 90)
        self.assertEqual(self.ask("tight", "another").status, 200)

    def test_answers_tell_of_the_limit(self):
        passed = self.ask("tight", "reader")
        self.assertEqual(passed.headers["ratelimit-policy"], '"20/hour burst 20 by key";q=20;w=3600')
        self.assertRegex(passed.headers["ratelimit"], r'^"20/hour burst 20 by key";r=19$')
        self.many("tight", "reader", 60)
        refused = self.ask("tight", "reader")
        self.assert_error(refused, 429, "MR021")
        self.assertEqual(refused.json["details"], "The limit is 20/hour burst 20 by key")
        self.assertLessEqual(int(refused.headers["retry-after"]), 180)
        self.assertRegex(refused.headers["ratelimit"], r'^"20/hour burst 20 by key";r=0;t=\d+$')
        self.assertNotIn("ratelimit", self.ask("products", "reader").headers)
        cached = [self.ask("busy", f"cached-{number}") for number in (1, 1, 2)]
        self.assertEqual([answer.headers["ratelimit"].partition("r=")[2] for answer in cached], ["1999", "1998", "1999"])

    def test_a_busy_caller_costs_redis_far_less_than_a_call_for_each_request(self):
        asked = lambda: sum(replica.metrics()['millrace_limit_asks_total{result="ok"}'] for replica in self.cluster.replicas)
        before = asked()
        statuses = self.many("busy", "busy", 900)
        self.assertEqual(set(statuses), {200})
        self.assertLess(asked() - before, 300)

    def test_tokens_come_back(self):
        wait_until(lambda: self.ask("quick", "x").status == 429, 10, "there is no limit")
        time.sleep(1.2)
        self.assertEqual(self.ask("quick", "x").status, 200)

    def test_a_quota_is_for_the_day(self):
        statuses = self.many("daily", "daily", 30)
        self.assertLessEqual(statuses.count(200), 7)
        refused = self.ask("daily", "daily")
        wait_until(lambda: self.ask("daily", "daily").status == 429, 5, "there is no quota")
        refused = self.ask("daily", "daily")
        self.assert_error(refused, 429, "MR026")
        self.assertLessEqual(int(refused.headers["retry-after"]), 86400)
        self.assertGreater(int(refused.headers["retry-after"]), 0)

    def test_routes_and_rows_cost_what_they_say(self):
        who = {"Authorization": "Bearer " + token(role="shop_anonymous", sub="dear")}
        ask = lambda rows: self.server.request(f"/v1/dear?limit={rows}&order=id", headers=who).status
        # 10 for the request and 10 for 50 rows: five of them take all of the 100.
        statuses = [ask(50) for _ in range(12)]
        self.assertEqual(statuses[:2], [200, 200])
        self.assertIn(429, statuses)
        self.assertLessEqual(statuses.count(200), 6)

    def test_what_costs_nothing_has_no_limit_and_tells_of_none(self):
        self.ask("tight", "free")  # a limit that was told of before says nothing of the next request
        for _ in range(5):
            answer = self.ask("free", "free")
            self.assertEqual((answer.status, answer.headers.get("ratelimit")), (200, None))

    def test_tenants_and_plans_have_their_own(self):
        for _ in range(3):
            self.ask("tenant", "a", tenant="red")
        wait_until(lambda: self.ask("tenant", "b", tenant="red").status == 429, 5, "a tenant has no limit")
        self.assertEqual(self.ask("tenant", "a", tenant="blue").status, 200)
        free = self.many("products", "free", 20, plan="free")
        self.assertLessEqual(free.count(200), 4)
        self.assertGreaterEqual(free.count(200), 1)
        self.assertEqual(set(self.many("products", "pro", 20, plan="pro")), {200})
        self.assertEqual(set(self.many("products", "none", 20)), {200})

    def test_without_redis_each_worker_counts_for_itself_and_nobody_is_turned_away(self):
        self.cluster.redis.kill9()
        try:
            statuses = self.many("tight", "alone", 60)
            self.assertGreaterEqual(statuses.count(200), 20)
            self.assertEqual(statuses.count(200) + statuses.count(429), 60)
            self.assertEqual(set(self.many("busy", "alone", 60)), {200})
        finally:
            self.cluster.redis.start()

    def test_a_rule_that_is_none_is_a_problem_of_the_files(self):
        from stack.millrace import command
        settings = {**self.server.settings, "MILLRACE_LIMITS_RULES": "many/second"}
        done = command(["check", "--offline", "--config", Path(self.directory) / "millrace.json"], env=settings, capture_output=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("/limits/rules/0", done.stderr)


if __name__ == "__main__":
    main()

"""API keys: made, listed and revoked on the command line; what they may do; how soon a revocation is everywhere."""
import json
import time
from pathlib import Path

from harness import SECRET, SystemTest, main, token, wait_until
from stack.millrace import command

ROUTES = {
    "version": "v1", "schema": "shop", "expose": "listed",
    "resources": {"products": {"cache": {"ttl_s": 60, "vary_claims": []}}, "categories": {"auth": "required"},
                  "favourites": {"auth": ["favourites:read"]}, "rpc/whoami": {}},
}


def config(directory):
    folder = Path(directory)
    (folder / "v1.json").write_text(json.dumps({**ROUTES, "resources": {k: v for k, v in ROUTES["resources"].items() if "/" not in k}}))
    (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json"]}))
    return folder / "millrace.json"


class ApiKeys(SystemTest):
    env = {"MILLRACE_AUTH_JWT_SECRET": SECRET, "MILLRACE_AUTH_API_KEYS": "true"}
    replicas = 2
    config = staticmethod(config)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql("create role key_member nologin; grant key_member to shop_api; grant usage on schema shop to key_member;"
                         "grant select on all tables in schema shop to key_member;"
                         "create function shop.whoami() returns json language sql stable as $$ select json_build_object("
                         "'claims', current_setting('request.jwt.claims', true)::json, 'role', current_user) $$;", "shop")
        (Path(cls.directory) / "v1.json").write_text(json.dumps(ROUTES))
        for replica in cls.cluster.replicas:
            replica.signal(1)
            wait_until(lambda r=replica: r.request("/v1/rpc/whoami").status == 200, 10, "the function is not there")

    def keys(self, *words, expect=0):
        owner = self.postgres.url("shop")
        done = command(["keys", *words, "--config", Path(self.directory) / "millrace.json", "--database-url", owner], env=self.server.settings,
                       capture_output=True)
        self.assertEqual(done.returncode, expect, done.stderr)
        return done.stdout.strip()

    def create(self, *words, role="key_member", expect=0):
        return self.keys("create", "--name", "a test", "--role", role, "--grant-to", "shop_api", *words, expect=expect)

    def ask(self, key, path="/v1/products?limit=1", replica=0, field="Authorization", **headers):
        value = "Bearer " + key if field == "Authorization" else key
        return self.cluster.replicas[replica].request(path, headers={field: value, **headers})

    def test_a_key_has_its_role_its_scopes_and_its_claims(self):
        key = self.create("--scope", "favourites:read", "--scope", "other")
        for field in ("Authorization", "apikey"):
            who = self.ask(key, "/v1/rpc/whoami", field=field).json
            self.assertEqual(who["role"], "key_member")
            self.assertEqual(who["claims"]["sub"], key[3:15])
            self.assertEqual(who["claims"]["scope"], "favourites:read other")
        self.assertEqual(self.ask(key, "/v1/categories?limit=1").status, 200)
        self.assertEqual(self.ask(key, "/v1/favourites?limit=1").status, 200)
        self.assert_error(self.ask(self.create(), "/v1/favourites?limit=1"), 403, "MR063")

    def test_a_token_beside_a_key_says_who_it_is(self):
        key = self.create()
        headers = {"Authorization": "Bearer " + token(role="shop_anonymous", sub="a user"), "apikey": key}
        who = self.server.request("/v1/rpc/whoami", headers=headers).json
        self.assertEqual((who["role"], who["claims"]["sub"]), ("shop_anonymous", "a user"))

    def test_keys_that_are_none_are_refused_and_do_not_all_reach_postgres(self):
        good = self.create()
        self.assertEqual(self.ask(good).status, 200)
        bad = good[:-1] + ("A" if good[-1] != "A" else "B")
        for key in (bad, "mr_short", "mr_" + "x" * 5000, good + "x", "mr_"):
            refused = self.ask(key)
            self.assert_error(refused, 401, "MR060")
            self.assertIn('error="invalid_token"', refused.headers["www-authenticate"])
        name = 'millrace_api_key_lookups_total{result="absent"}'
        before = self.server.metrics()[name]
        for _ in range(30):
            self.assertEqual(self.ask(bad).status, 401)
        self.assertEqual(self.server.metrics()[name], before, "a bad key is remembered")
        statuses = [self.ask(f"{good[:-4]}{number:04d}").status for number in range(60)]
        self.assertIn(429, statuses)
        self.assertEqual(self.ask(good).status, 200, "who is known is not kept out")

    def test_a_revoked_key_ends_everywhere_within_a_second(self):
        key = self.create()
        for replica in (0, 1):
            for _ in range(3):
                self.assertEqual(self.ask(key, replica=replica).status, 200)
        self.keys("revoke", "--id", key[3:15])
        over = time.monotonic() + 1
        for replica in (0, 1):
            wait_until(lambda r=replica: self.ask(key, replica=r).status == 401, 1, "a revoked key is still taken")
        self.assertLess(time.monotonic(), over + 0.5)
        self.assertIn("revoked", next(line for line in self.keys("list").splitlines() if line.startswith(key[3:15])))
        self.keys("revoke", "--id", "nothing", expect=1)

    def test_a_key_expires(self):
        key = self.create("--expires", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2)))
        self.assertEqual(self.ask(key).status, 200)
        wait_until(lambda: self.ask(key).status == 401, 5, "the key does not expire")

    def test_only_hashes_are_kept_and_api_roles_cannot_read_them(self):
        key = self.create()
        dump = self.sql("select string_agg(k::text, ' ') from millrace_auth.api_keys k")
        self.assertNotIn(key[16:], dump)
        for role in ("key_member", "shop_anonymous"):
            said = self.postgres.psql(["-c", f"set role {role}; select * from millrace_auth.api_keys"], "shop", "shop_api",
                                      capture_output=True)
            self.assertIn("permission denied", said.stderr)
        forged = "insert into millrace_auth.api_keys (id, name, hash, role) values ('a', 'b', 'c', 'key_member')"
        for statement in (forged, "update millrace_auth.api_keys set expires = null", "delete from millrace_auth.api_keys"):
            said = self.postgres.psql(["-c", statement], "shop", "shop_api", capture_output=True)
            self.assertIn("permission denied", said.stderr, "the server's own role reads, and no more")
        self.assertNotIn(key, self.server.log_text())

    def test_a_key_may_not_be_of_a_role_that_the_service_cannot_act_as(self):
        self.create(role="postgres", expect=1)
        self.create(role="nobody_there", expect=1)
        self.keys("create", "--name", "x", expect=2)

    def test_without_postgres_a_known_key_is_served_from_the_cache_and_a_new_one_is_not_taken_for_bad(self):
        known, new = self.create(), self.create()
        self.assertEqual(self.ask(known).status, 200)
        self.assertEqual(self.ask(known).status, 200)
        self.postgres.sql("checkpoint")  # what these servers have not written yet is lost with them
        self.postgres.kill9()
        try:
            refused = self.ask(new)
            self.assert_error(refused, 503, "MR061")
            self.assertIn("retry-after", refused.headers)
        finally:
            self.postgres.start()
        wait_until(lambda: self.ask(new).status == 200, 30, "the key is not taken when Postgres is back")


if __name__ == "__main__":
    main()

"""Whose answers are shared: row security, roles and claims, functions and declared dependencies, with the cache on."""
import json
import random
from pathlib import Path

from harness import SECRET, SystemTest, main, token, wait_until

SCHEMA = """
create schema club;
create table club.teams (id integer primary key, open boolean not null);
create table club.notes (id integer primary key, owner text not null, team integer not null references club.teams, said text not null);
insert into club.teams values (1, true), (2, false);
insert into club.notes select n, 'user' || n % 10, 1 + n % 2, 'note ' || n from generate_series(1, 200) n;
create view club.undeclared with (security_invoker) as select * from club.notes;
create view club.by_agent as select id, current_setting('request.headers', true)::json ->> 'x-agent' as agent from club.teams;
create view club.clock as select id, clock_timestamp() as now from club.teams;
create function club.my_name() returns text language sql stable as
$$ select current_setting('request.jwt.claims', true)::json ->> 'sub' $$;
create function club.team_size(team integer) returns bigint language sql stable security definer as
$$ select count(*) from club.notes n where n.team = $1 $$;
create function club.marked(x integer) returns integer language plpgsql stable as
$$ begin perform set_config('response.headers', '[{"Set-Cookie": "a=b"}]', true); return x; end $$;
create function club.add_note(said text) returns integer language sql as
$$ insert into club.notes select max(id) + 1, 'user1', 1, $1 from club.notes returning id $$;
alter table club.notes enable row level security;
create policy own on club.notes for select using (
    owner = current_setting('request.jwt.claims', true)::json ->> 'sub'
    and exists (select from club.teams t where t.id = team and t.open));
create policy by_all on club.notes for all to club_writer using (true);
create role member nologin; create role guest nologin;
grant member, guest to shop_api;
grant usage on schema club to member, guest, shop_anonymous, club_writer;
grant select on all tables in schema club to member, guest, shop_anonymous;
grant select, insert, update, delete on club.notes, club.teams to club_writer;
"""

ROUTES = {
    "version": "v1", "schema": "club", "expose": "schema", "defaults": {"cache": {"ttl_s": 60}},
    "resources": {
        "teams": {}, "clock": {},
        "notes": {"cache": {"vary_claims": ["sub"]}},
        "by_role": {"relation": "teams", "cache": {"vary_claims": []}},
        "timed": {"relation": "clock", "cache": {"ttl_s": 60, "by_time": True}},
        "dependent": {"relation": "clock", "cache": {"depends_on": ["teams"]}},
        "by_agent": {"cache": {"vary_claims": [], "by_time": True}},
        "rpc/my_name": {"cache": {"ttl_s": 60, "vary_claims": ["sub"]}},
        "rpc/team_size": {"cache": {"depends_on": ["notes"]}},
        "rpc/marked": {"cache": {"ttl_s": 60}},
    },
}


class Identity(SystemTest):
    env = {"MILLRACE_AUTH_JWT_SECRET": SECRET}
    replicas = 2

    @staticmethod
    def config(directory):
        folder = Path(directory)
        (folder / "v1.json").write_text(json.dumps({"version": "v1", "schema": "shop", "expose": "schema"}))
        (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json"]}))
        return folder / "millrace.json"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql("create role club_writer nologin; grant club_writer to shop_api;" + SCHEMA, "shop")
        (Path(cls.directory) / "v1.json").write_text(json.dumps(ROUTES))
        from stack import migrate
        migrate(cls.postgres, config=Path(cls.directory) / "millrace.json")
        for replica in cls.cluster.replicas:
            replica.signal(1)
            wait_until(lambda r=replica: r.request("/v1/teams").status == 200, 10, "the club is not there")

    def ask(self, path, sub=None, role="member", replica=0, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if role:
            fields["Authorization"] = "Bearer " + token(role=role, **({"sub": sub} if sub is not None else {}))
        return self.cluster.replicas[replica].request(path, headers=fields)

    def status(self, *arguments, **options):
        return self.ask(*arguments, **options).headers.get("cache-status", "")

    def hits(self, *arguments, **options):
        self.ask(*arguments, **options)
        wait_until(lambda: "hit;" in self.status(*arguments, **options), 5, f"{arguments} was never a hit", 0.05)

    def test_users_of_one_role_never_see_each_others_rows(self):
        # What the test before has changed is over; an empty answer is kept from the next beat on.
        for user, replica in (("user0", 0), ("user0", 1), ("user1", 0), ("user1", 1)):
            self.hits("/v1/notes?select=owner,id&order=id", user, replica=replica)
        chance, hits = random.Random(7), 0
        for _ in range(600):
            user, replica = f"user{chance.randrange(10)}", chance.randrange(2)
            answer = self.ask("/v1/notes?select=owner,id&order=id", user, replica=replica)
            self.assertEqual(answer.status, 200, answer.text)
            self.assertLessEqual({row["owner"] for row in answer.json}, {user})
            if int(user[4:]) % 2 == 0:
                self.assertEqual(len(answer.json), 20)
            hits += "hit" in answer.headers["cache-status"]
        self.assertGreater(hits, 500)

    def test_what_one_token_says_is_not_what_a_similar_one_says(self):
        for claims, rows in (({"sub": "user2"}, 3), ({"sub": ["user2"]}, 0), ({"sub": None}, 0), ({"sub": ""}, 0), ({}, 0)):
            for _ in range(3):
                header = {"Authorization": "Bearer " + token(role="member", **claims)}
                self.assertEqual(len(self.get("/v1/notes?limit=3", header).json), rows, claims)
        self.assertEqual(self.ask("/v1/notes?limit=3", role=None).json, [])

    def test_answers_to_a_token_are_private(self):
        for _ in range(2):
            self.assertIn("private", self.ask("/v1/notes", "user4").headers["cache-control"])
            self.assertIn("private", self.ask("/v1/teams", "user4").headers["cache-control"])

    def test_without_declared_claims_nothing_is_kept(self):
        for user in (None, "user2", "user4"):
            for _ in range(2):
                self.assertEqual(self.status("/v1/undeclared", user), "")

    def test_a_role_is_told_from_another(self):
        self.hits("/v1/by_role", "user1")
        self.hits("/v1/by_role", "user2")
        self.hits("/v1/teams", "user1")
        self.sql("revoke select on club.teams from guest")
        try:
            self.assertEqual(self.ask("/v1/by_role", "user1", role="guest").status, 403)
            self.assertEqual(self.ask("/v1/by_role", "user1").status, 200)
        finally:
            self.sql("grant select on club.teams to guest")
        self.assertEqual(self.ask("/v1/by_role", "user1", role="guest").status, 200)

    def test_a_table_that_only_a_policy_reads_invalidates(self):
        self.hits("/v1/notes?select=id&limit=1", "user6")
        self.sql("update club.teams set open = false")
        try:
            wait_until(lambda: self.ask("/v1/notes?select=id&limit=1", "user6").json == [], 2, "the policy's table was not seen")
        finally:
            self.sql("update club.teams set open = id = 1")
        wait_until(lambda: self.ask("/v1/notes?select=id&limit=1", "user6").json != [], 2, "nor its change back")

    def test_what_looks_at_headers_is_not_kept_whatever_is_declared(self):
        for agent in ("a", "b", "a"):
            answer = self.ask("/v1/by_agent?limit=1&select=agent", "user1", X_Agent=agent)
            self.assertEqual((answer.json, answer.headers.get("cache-status")), ([{"agent": agent}], None))

    def test_time_alone_decides_where_the_owner_says_so(self):
        self.assertEqual(self.status("/v1/clock"), "")
        self.hits("/v1/timed?id=eq.1")
        seen = self.ask("/v1/timed?id=eq.1").body
        self.hits("/v1/dependent?id=eq.1")
        before = self.ask("/v1/dependent?id=eq.1").body
        self.sql("update club.teams set open = open where id = 2")
        wait_until(lambda: self.ask("/v1/dependent?id=eq.1").body != before, 2, "the declared table was not seen")
        self.assertNotEqual(self.ask("/v1/timed?id=eq.1").body, b"")
        self.assertNotEqual(seen, before)

    def test_calls_are_kept_by_their_arguments_and_declared_tables(self):
        self.hits("/v1/rpc/team_size?team=1", role=None)
        self.hits("/v1/rpc/team_size?team=2", role=None)
        before = self.ask("/v1/rpc/team_size?team=1", role=None).json
        self.sql("insert into club.notes values (1001, 'user0', 1, 'new')")
        wait_until(lambda: self.ask("/v1/rpc/team_size?team=1", role=None).json == before + 1, 2, "the call kept its answer")
        self.sql("delete from club.notes where id = 1001")
        self.assertEqual(self.status("/v1/rpc/team_size?team=1", "user1"), "", "nobody said which claims it looks at")

    def test_calls_are_kept_by_claims(self):
        for _ in range(3):
            for user in ("user1", "user2"):
                self.assertEqual(self.ask("/v1/rpc/my_name", user).json, user)
        self.hits("/v1/rpc/my_name", "user2")

    def test_an_answer_with_words_of_its_own_is_not_kept(self):
        for _ in range(3):
            answer = self.ask("/v1/rpc/marked?x=1", role=None)
            self.assertEqual(answer.headers["set-cookie"], "a=b")
            self.assertNotIn("hit;", answer.headers["cache-status"])

    def test_every_write_has_a_token(self):
        member = {"Authorization": "Bearer " + token(role="club_writer")}
        def write(method, path, body=None, **more):
            return self.server.request(path, method=method, headers={**member, **more}, body=body)
        note = {"id": 2000, "owner": "user1", "team": 1, "said": "x"}
        answers = [write("POST", "/v1/notes", [note, {**note, "id": 2001}]), write("PUT", "/v1/notes?id=eq.2000", note),
                   write("PATCH", "/v1/notes?id=gte.2000", {"said": "y"}), write("DELETE", "/v1/notes?id=gte.2000"),
                   write("POST", "/v1/rpc/add_note", {"said": "z"})]
        for answer in answers:
            self.assertIn(answer.status, (200, 201, 204), answer.text)
            self.assertRegex(answer.headers.get("consistency-token", ""), "^[0-9]+$")
        tokens = [int(answer.headers["consistency-token"]) for answer in answers]
        self.assertEqual(tokens, sorted(set(tokens)))
        nothing = write("PATCH", "/v1/notes?id=eq.99999", {"said": "y"})
        self.assertNotIn("consistency-token", nothing.headers)
        self.sql("delete from club.notes where said = 'z'")

    def test_a_token_that_is_none_is_refused_and_one_of_the_future_harms_nobody(self):
        for wrong in ("x", "-1", "0", "1.5", "99999999999999999999999"):
            self.assert_error(self.ask("/v1/teams", Consistency_Token=wrong), 400, "PGRST100")
        self.hits("/v1/teams?order=id", role=None)
        for _ in range(3):
            future = self.ask("/v1/teams?order=id", role=None, Consistency_Token="9000000000000000000")
            self.assertEqual(len(future.json), 2)
            self.assertNotIn("hit", future.headers["cache-status"])
            self.assertIn("hit", self.status("/v1/teams?order=id", role=None))


if __name__ == "__main__":
    main()

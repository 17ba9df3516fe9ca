"""Idempotency-Key over two replicas: one effect and one answer however often, wherever and whenever a request is sent."""
import json
import threading
import time
from pathlib import Path

from harness import SECRET, SystemTest, main, token, wait_until

SCHEMA = """
set check_function_bodies = off;
create schema till;
create role cashier nologin; grant cashier to shop_api;
create table till.accounts (id integer primary key);
insert into till.accounts values (1);
create table till.payments (
    id bigint generated always as identity primary key, account integer not null references till.accounts,
    amount integer not null check (amount > 0), note text, paid_by text default current_user, settled_by text);
create table till.hooks (payment bigint, ran_as text);
create function till.settle() returns trigger language plpgsql as $$
begin
  if new.note = 'slow commit' then perform pg_sleep(1.5); end if;
  if new.note = 'not this one' then raise insufficient_privilege; end if;
  insert into till.hooks values (new.id, current_user);
  return null;
end $$;
create constraint trigger settle after insert on till.payments deferrable initially deferred
    for each row execute function till.settle();
create function till.pay(account integer, amount integer, wait_s float8 default 0, note text default null)
returns setof till.payments language plpgsql as $$
begin
  perform pg_sleep(wait_s);
  perform set_config('response.headers', '[{"X-Receipt": "yes"}]', true);
  return query insert into till.payments (account, amount, note) values (pay.account, pay.amount, pay.note) returning *;
end $$;
create function till.pay_alone(account integer, amount integer) returns bigint language sql
set default_transaction_isolation = 'serializable'
as $$ insert into till.payments (account, amount) values ($1, $2) returning id $$;
create function till.refuse() returns void language plpgsql as $$
begin perform set_config('response.status', '402', true); insert into till.payments (account, amount) values (1, 402); end $$;
create function till.total() returns bigint language sql stable as $$ select count(*) from till.payments $$;
create function till.looks_like_a_repeat() returns void language plpgsql as
$$ begin raise exception 'a request with this idempotency key has been answered' using errcode = 'MR200'; end $$;
create function till.spy() returns bigint language sql as $$ select count(*) from millrace.idempotency_keys $$;
create function till.spy_by_function() returns bigint language sql as
$$ select count(*) from millrace.find_idempotent_answer(''::bytea, ''::bytea) $$;
create function till.spy_as_login() returns bigint language plpgsql as
$$ begin perform set_config('role', 'none', true); return (select count(*) from millrace.idempotency_keys); end $$;
grant usage on schema till to shop_anonymous, cashier;
grant select, insert, update on all tables in schema till to shop_anonymous, cashier;
alter default privileges in schema millrace grant select on tables to shop_anonymous;
"""

ROUTES = {
    "version": "v1", "schema": "till", "expose": "schema",
    "resources": {
        "payments": {},
        "careful": {"relation": "payments", "idempotency": "required"},
        "careless": {"relation": "payments", "idempotency": "off"},
    },
}


class Till(SystemTest):
    env = {"MILLRACE_AUTH_JWT_SECRET": SECRET, "MILLRACE_IDEMPOTENCY_ANSWER_BYTES_MAX": "4096"}
    replicas = 2
    keys = 0

    @staticmethod
    def config(directory):
        folder = Path(directory)
        (folder / "v1.json").write_text(json.dumps({"version": "v1", "schema": "shop", "expose": "schema"}))
        (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json"]}))
        return folder / "millrace.json"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        from stack import migrate
        migration = Path(cls.directory) / "millrace.json"
        cls.postgres.sql("drop table millrace.idempotency_keys", "shop")
        cls.postgres.sql(SCHEMA, "shop")
        (Path(cls.directory) / "v1.json").write_text(json.dumps(ROUTES))
        for _ in range(2):  # whatever default privileges say; and again, which changes nothing
            migrate(cls.postgres, config=migration)
        for replica in cls.cluster.replicas:
            replica.signal(1)
            wait_until(lambda r=replica: r.request("/v1/accounts").status == 200, 10, "the till is not there")

    def key(self):
        Till.keys += 1
        return f"key-{Till.keys}"

    def post(self, key, body, path="/v1/payments", replica=0, method="POST", prefer="return=representation", **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        fields["Prefer"] = prefer
        if key is not None:
            fields["Idempotency-Key"] = key
        return self.cluster.replicas[replica].request(path, method, fields, body)

    def payments(self, amount):
        return int(self.sql(f"select count(*) from till.payments where amount = {amount}"))

    def same(self, first, again):
        left_out = ("date", "x-request-id", "idempotent-replayed")
        self.assertEqual((again.status, again.body), (first.status, first.body))
        self.assertEqual({n: v for n, v in again.headers.items() if n not in left_out},
                         {n: v for n, v in first.headers.items() if n not in left_out})
        self.assertNotIn("idempotent-replayed", first.headers)
        self.assertEqual(again.headers.get("idempotent-replayed"), "true")


class Idempotency(Till):
    def test_a_repeat_gets_the_same_answer_from_any_replica(self):
        for prefer in ("return=representation", "return=headers-only", "return=minimal"):
            key, body = self.key(), {"account": 1, "amount": 11}
            before = self.payments(11)
            first = self.post(key, body, prefer=prefer)
            self.assertEqual(first.status, 201, first.text)
            self.assertIn("consistency-token", first.headers)
            for replica in (0, 1, 1):
                self.same(first, self.post(f'"{key}"', body, prefer=prefer, replica=replica))
            self.assertEqual(self.payments(11), before + 1)

    def counted(self, result):
        name = f'millrace_idempotent_requests_total{{result="{result}"}}'
        return sum(replica.metrics()[name] for replica in self.cluster.replicas)

    def test_what_becomes_of_keys_is_counted(self):
        results = ("stored", "replayed", "conflict", "mismatch")
        key, body, before = self.key(), {"account": 1, "amount": 61}, [self.counted(result) for result in results]
        for asked, replica, status in ((body, 0, 201), (body, 1, 201), (body, 0, 201), ({"account": 1, "amount": 62}, 1, 422)):
            self.assertEqual(self.post(key, asked, replica=replica).status, status)
        self.assertEqual([self.counted(result) - count for result, count in zip(results, before)], [1, 2, 0, 1])

    def test_patch_and_calls_too(self):
        payment = self.post(None, {"account": 1, "amount": 12}).json[0]["id"]
        key = self.key()
        first = self.post(key, {"note": "seen"}, f"/v1/payments?id=eq.{payment}", method="PATCH")
        self.assertEqual((first.status, first.json[0]["note"]), (200, "seen"))
        self.sql(f"update till.payments set note = 'later' where id = {payment}")
        self.same(first, self.post(key, {"note": "seen"}, f"/v1/payments?id=eq.{payment}", method="PATCH", replica=1))
        self.assertEqual(self.sql(f"select note from till.payments where id = {payment}"), "later")
        for path, body, status in (("/v1/rpc/pay?select=id,amount", {"account": 1, "amount": 13}, 200),
                                   ("/v1/rpc/pay_alone", {"account": 1, "amount": 13}, 200), ("/v1/rpc/refuse", {}, 402)):
            key = self.key()
            first = self.post(key, body, path)
            self.assertEqual(first.status, status, first.text)
            self.same(first, self.post(key, body, path, replica=1))
        self.assertEqual((self.payments(13), self.payments(402)), (2, 1))

    def test_headers_of_the_database_are_kept(self):
        key, body = self.key(), {"account": 1, "amount": 14}
        self.assertEqual(self.post(key, body, "/v1/rpc/pay").headers["x-receipt"], "yes")
        self.assertEqual(self.post(key, body, "/v1/rpc/pay").headers["x-receipt"], "yes")

    def test_another_request_under_the_key_is_refused(self):
        key, body = self.key(), {"account": 1, "amount": 15}
        self.assertEqual(self.post(key, body).status, 201)
        for other in ({"body": {"account": 1, "amount": 16}}, {"path": "/v1/payments?select=id"}, {"prefer": "return=minimal"}):
            self.assert_error(self.post(key, **{"body": body, **other}, replica=1), 422, "MR042")
        self.assertEqual((self.payments(15), self.payments(16)), (1, 0))
        self.assertEqual(self.post(key, {"account": 1, "amount": 15}, "/v1/rpc/pay").status, 200, "another route, another key")

    def test_keys_that_are_none(self):
        for key in ("", "a b", '"a', "x" * 256, '"a";q=1', "a,b"):
            with self.subTest(key):
                self.assert_error(self.post(key, {"account": 1, "amount": 17}), 400, "MR040")
        self.assertEqual(self.payments(17), 0)

    def test_routes_say_whether_they_need_one(self):
        body = {"account": 1, "amount": 18}
        self.assert_error(self.post(None, body, "/v1/careful"), 400, "MR041")
        self.assertEqual(self.post(self.key(), body, "/v1/careful").status, 201)
        self.assertEqual(self.payments(18), 1)
        key = self.key()
        for _ in range(2):
            ignored = self.post(key, body, "/v1/careless")
            self.assertEqual((ignored.status, ignored.headers.get("idempotent-replayed")), (201, None))
        self.assertEqual(self.payments(18), 3)

    def test_many_at_once_have_one_effect(self):
        key, answers, conflicts = self.key(), [], self.counted("conflict")
        body = {"account": 1, "amount": 19, "wait_s": 0.5}

        def ask(number):
            answers.append(self.post(key, body, "/v1/rpc/pay", replica=number % 2))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done = [answer for answer in answers if answer.status == 200]
        self.assertEqual(len([answer for answer in done if "idempotent-replayed" not in answer.headers]), 1)
        refused = [answer for answer in answers if answer.status != 200]
        self.assertGreater(len(refused), 10)
        self.assertEqual(self.counted("conflict") - conflicts, len(refused))
        for answer in refused:
            self.assert_error(answer, 409, "MR043")
            self.assertEqual(answer.headers["retry-after"], "1")
        self.assertEqual(self.payments(19), 1)
        self.assertEqual(self.post(key, body, "/v1/rpc/pay").body, done[0].body)

    def test_a_storm_of_retries_pays_once_a_key(self):
        keys = [self.key() for _ in range(30)]
        bodies = {key: set() for key in keys}
        lock = threading.Lock()

        def insist(number):
            for key in keys:
                path, body = ("/v1/rpc/pay_alone", {"account": 1, "amount": 20}) if number % 2 else ("/v1/payments?select=id",
                                                                                                 {"account": 1, "amount": 21})
                while True:
                    answer = self.post(key, body, path, replica=number // 2 % 2)
                    if answer.status in (200, 201):
                        break
                    self.assertIn(answer.status, (409, 500), answer.text)
                with lock:
                    bodies[key].add(answer.body)

        threads = [threading.Thread(target=insist, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((self.payments(20), self.payments(21)), (30, 30))
        self.assertEqual({len(seen) for seen in bodies.values()}, {2})

    def test_what_failed_is_tried_again(self):
        key, body = self.key(), {"account": 2, "amount": 22}
        self.assert_error(self.post(key, body), 409, "23503")
        self.sql("insert into till.accounts values (2)")
        self.assertEqual(self.post(key, body, replica=1).status, 201)
        self.assertEqual(self.payments(22), 1)

    def test_what_fails_at_commit_is_told_as_it_is(self):
        key, body = self.key(), {"account": 1, "amount": 33, "note": "not this one"}
        for _ in range(2):
            self.assert_error(self.post(key, body), 401, "42501")
        self.assertEqual(self.payments(33), 0)

    def test_an_answer_that_is_too_large_undoes_the_request(self):
        key, body = self.key(), {"account": 1, "amount": 23, "note": "x" * 5000}
        self.assert_error(self.post(key, body), 413, "MR029")
        self.assertEqual(self.payments(23), 0)
        self.assertEqual(self.post(key, body, prefer="return=minimal").status, 201)

    def test_a_call_that_changes_nothing_is_made_again(self):
        key = self.key()
        before = self.post(key, {}, "/v1/rpc/total").json
        self.post(None, {"account": 1, "amount": 24})
        again = self.post(key, {}, "/v1/rpc/total")
        self.assertEqual((again.status, again.json, again.headers.get("idempotent-replayed")), (200, before + 1, None))

    def test_keys_of_callers_do_not_meet(self):
        key, body = self.key(), {"account": 1, "amount": 25}
        answers = [self.post(key, body)]
        for sub in ("ann", "bob"):
            bearer = "Bearer " + token(role="cashier", sub=sub)
            answers.append(self.post(key, body, Authorization=bearer))
            renewed = "Bearer " + token(role="cashier", sub=sub, iat=int(time.time()), exp=int(time.time()) + 600)
            self.same(answers[-1], self.post(key, body, Authorization=renewed, replica=1))
            promoted = "Bearer " + token(role="cashier", sub=sub, team=1)
            self.assert_error(self.post(key, body, Authorization=promoted), 422, "MR042")
        self.assertEqual({answer.status for answer in answers}, {201})
        self.assertEqual(len({answer.body for answer in answers}), 3)
        self.assertEqual(self.payments(25), 3)

    def test_nobody_reads_what_is_kept_for_others(self):
        self.post(self.key(), {"account": 1, "amount": 26})
        for caller in ({}, {"Authorization": "Bearer " + token(role="cashier", sub="ann")}):
            for path in ("spy", "spy_by_function", "spy_as_login"):
                refused = self.post(None, {}, "/v1/rpc/" + path, **caller)
                self.assertEqual((refused.status, refused.json["code"]), (403 if caller else 401, "42501"), path)
        kept = self.sql("select count(*) from millrace.idempotency_keys where id::text like '%key-%' or encode(id, 'escape') like '%key-%'")
        self.assertEqual(kept, "0", "a key is not kept as it was sent")
        self.assertEqual(self.sql("select string_agg(distinct a.grantee::regrole::text, ' ') from pg_class, aclexplode(relacl) a "
                                  "where oid = 'millrace.idempotency_keys'::regclass"), "postgres")

    def test_what_commit_runs_is_not_the_login_role(self):
        for bearer, role in (({}, "shop_anonymous"), ({"Authorization": "Bearer " + token(role="cashier")}, "cashier")):
            paid = self.post(self.key(), {"account": 1, "amount": 27}, **bearer).json[0]
            self.assertEqual(paid["paid_by"], role)
            self.assertEqual(self.sql(f"select ran_as from till.hooks where payment = {paid['id']}"), role)
        plain = self.post(None, {"account": 1, "amount": 27}).json[0]
        self.assertEqual(plain["paid_by"], "shop_anonymous", "the lane has its role back")

    def test_a_function_cannot_pretend_to_be_a_repeat(self):
        self.assertEqual(self.post(self.key(), {}, "/v1/rpc/looks_like_a_repeat").json["code"], "MR200")

    def test_without_the_table_nothing_is_done(self):
        body = {"account": 1, "amount": 28}
        for away, back in (("revoke execute on function millrace.claim_idempotency_key(bytea, bytea) from shop_api",
                            "grant execute on function millrace.claim_idempotency_key(bytea, bytea) to shop_api"),
                           ("revoke usage on schema millrace from shop_api", "grant usage on schema millrace to shop_api"),
                           ("alter schema millrace rename to elsewhere", "alter schema elsewhere rename to millrace")):
            self.sql("begin; set local millrace.watching = on;" + away + "; commit")
            try:
                for path in ("/v1/payments", "/v1/careful"):
                    self.assert_error(self.post(self.key(), body, path), 400, "PGRST127")
                self.assertEqual(self.payments(28), 0)
            finally:
                self.sql("begin; set local millrace.watching = on;" + back + "; commit")

    def test_expired_answers_are_forgotten_a_few_at_a_time(self):
        key, body = self.key(), {"account": 1, "amount": 29}
        first = self.post(key, body)
        self.sql("update millrace.idempotency_keys set expires = now() - interval '1 s'")
        expired = "select count(*) from millrace.idempotency_keys where expires < now()"
        again = self.post(key, body, replica=1)
        self.assertEqual((again.status, again.headers.get("idempotent-replayed")), (201, None))
        self.assertNotEqual(again.json[0]["id"], first.json[0]["id"])
        self.same(again, self.post(key, body))
        self.sql("insert into millrace.idempotency_keys select int8send(n), '', 200, '', '', now(), now() - interval '1 h' "
                 "from generate_series(1, 20) n")
        before = int(self.sql(expired))
        self.post(self.key(), body)
        self.assertEqual(int(self.sql(expired)), before - 8)
        wait_until(lambda: self.post(self.key(), body) and self.sql(expired) == "0", 20, "expired answers stay")
        self.same(again, self.post(key, body))


class Crash(Till):
    """The replica that did the work dies before it could say so."""

    def setUp(self):
        self.victim, self.other = self.cluster.replicas
        if not self.victim.running:
            self.victim.start()

    def begin(self, key, path, body):
        def ask():
            try:
                self.post(key, body, path)
            except OSError:
                pass

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 20)

    def asleep_in(self, statement):
        return self.sql("select count(*) from pg_stat_activity where wait_event = 'PgSleep' and state = 'active' "
                        f"and query like '{statement}%'") == "1"

    def test_between_commit_and_answer(self):
        key, body = self.key(), {"account": 1, "amount": 31, "note": "slow commit"}
        self.begin(key, "/v1/payments", body)
        wait_until(lambda: self.asleep_in("COMMIT"), 10, "the commit does not begin", 0.05)
        self.victim.pause()  # nothing leaves it any more, and Postgres commits
        self.assert_error(self.post(key, body, replica=1), 409, "MR043")
        wait_until(lambda: self.payments(31) == 1, 10, "the commit does not end", 0.05)
        self.victim.kill9()
        again = self.post(key, body, replica=1)
        self.assertEqual((again.status, again.headers["idempotent-replayed"]), (201, "true"))
        self.assertEqual(again.json[0]["note"], "slow commit")
        self.assertEqual(str(again.json[0]["id"]), self.sql("select id from till.payments where amount = 31"))
        self.assertEqual(self.payments(31), 1)

    def test_before_commit(self):
        key, body = self.key(), {"account": 1, "amount": 32, "wait_s": 1.5}
        self.begin(key, "/v1/rpc/pay", body)
        wait_until(lambda: self.asleep_in("WITH") or self.asleep_in("SELECT"), 10, "the call does not begin", 0.05)
        self.victim.kill9()
        quick = {"account": 1, "amount": 32, "wait_s": 1.5}
        wait_until(lambda: self.post(key, quick, "/v1/rpc/pay", replica=1).status == 200, 20, "the key is never free", 0.2)
        self.assertEqual(self.payments(32), 1)


if __name__ == "__main__":
    main()

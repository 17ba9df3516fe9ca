"""POST /v1/batch: several operations in one transaction, each as if it came alone, or none of them."""
import json
import threading
from pathlib import Path

from harness import SECRET, SystemTest, main, token, wait_until

SCHEMA = """
create schema desk;
create role clerk nologin; grant clerk to shop_api;
create table desk.parts (id integer primary key, name text not null, price numeric, stock integer not null default 0 check (stock >= 0));
insert into desk.parts values (1, 'bolt', 1.5, 10), (2, 'nut', 0.5, 10);
create table desk.secrets (id integer primary key, owner text default current_setting('request.jwt.claims', true)::json ->> 'sub');
create table desk.late (id integer primary key, part integer references desk.parts deferrable initially deferred);
alter table desk.secrets enable row level security;
create policy own on desk.secrets for all to clerk using (owner = current_setting('request.jwt.claims', true)::json ->> 'sub');
create function desk.stock_of(part integer) returns integer language sql stable as $$ select stock from desk.parts where id = part $$;
create function desk.writes_though_stable() returns integer language plpgsql stable as
$$ begin return desk.sneak(); end $$;
create function desk.sneak() returns integer language sql as $$ update desk.parts set stock = 99 where id = 1 returning stock $$;
create function desk.teapot() returns text language plpgsql as
$$ begin perform set_config('response.status', '418', true); insert into desk.parts values (418, 'pot', 1); return 'short and stout'; end $$;
create function desk.marked() returns text language plpgsql as
$$ begin perform set_config('response.headers', '[{"X-Mark": "yes"}]', true), set_config('response.status', '202', true); return 'm'; end $$;
create function desk.strict() returns text language sql set default_transaction_isolation = 'serializable'
as $$ select current_setting('transaction_isolation') $$;
grant usage on schema desk to shop_anonymous, clerk;
grant select, insert, update, delete on desk.parts, desk.late to shop_anonymous, clerk;
grant select, insert on desk.secrets to clerk;
"""

ROUTES = {
    "version": "v1", "schema": "desk", "expose": "schema", "defaults": {"cache": {"ttl_s": 60}},
    "resources": {"parts": {}, "fixed": {"relation": "parts", "methods": ["GET"]},
                  "careful": {"relation": "parts", "idempotency": "required"}},
}


class Batch(SystemTest):
    env = {"MILLRACE_AUTH_JWT_SECRET": SECRET, "MILLRACE_BATCH_OPERATIONS_MAX": "10"}
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
        from stack import migrate
        cls.postgres.sql(SCHEMA, "shop")
        (Path(cls.directory) / "v1.json").write_text(json.dumps(ROUTES))
        migrate(cls.postgres, config=Path(cls.directory) / "millrace.json")
        for replica in cls.cluster.replicas:
            replica.signal(1)
            wait_until(lambda r=replica: r.request("/v1/parts").status == 200, 10, "the desk is not there")

    def batch(self, *operations, replica=0, path="/v1/batch", **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.cluster.replicas[replica].request(path, "POST", fields, {"operations": list(operations)})

    def op(self, method, path, body=None, **headers):
        operation = {"method": method, "path": path, "headers": {n.replace("_", "-"): v for n, v in headers.items()}}
        return operation if body is None else dict(operation, body=body)

    def assert_failed(self, response, status, operation, code):
        self.assert_error(response, status, "MR045")
        self.assertEqual((response.json["details"]["operation"], response.json["details"]["error"]["code"]), (operation, code))

    def parts(self, where="true"):
        return self.sql(f"select string_agg(id::text, ' ' order by id) from desk.parts where {where}")

    def test_operations_run_in_order_and_see_each_other(self):
        done = self.batch(
            self.op("POST", "/parts?select=id,name", {"id": 10, "name": "gear", "price": 2}, Prefer="return=representation"),
            self.op("GET", "/parts?id=eq.10&select=name"),
            self.op("PATCH", "/parts?id=eq.10", {"name": "cog"}),
            self.op("POST", "/rpc/stock_of", {"part": 1}),
            self.op("PUT", "/parts?id=eq.11", {"id": 11, "name": "pin", "price": 3, "stock": 1}),
            self.op("GET", "/parts?id=in.(10,11)&select=name&order=id", Accept="text/csv"),
            self.op("DELETE", "/parts?id=eq.11"))
        self.assertEqual(done.status, 200, done.text)
        results = done.json["results"]
        self.assertEqual([r["status"] for r in results], [201, 200, 204, 200, 204, 200, 204])
        self.assertEqual([r["body"] for r in results], [[{"id": 10, "name": "gear"}], [{"name": "gear"}], None, 10, None, "name\ncog\npin", None])
        self.assertEqual(results[1]["headers"]["Content-Range"], "0-0/*")
        self.assertIn("consistency-token", done.headers)
        self.assertEqual(self.parts("id in (10, 11)"), "10")

    def test_one_that_fails_undoes_all(self):
        good = self.op("POST", "/parts", {"id": 20, "name": "x", "price": 1})
        for operation, status, code in ((self.op("POST", "/parts", {"id": 1, "name": "again", "price": 1}), 409, "23505"),
                                        (self.op("PATCH", "/parts?id=eq.1", {"stock": -1}), 400, "23514"),
                                        (self.op("GET", "/parts?id=in.(1,2)", Accept="application/vnd.pgrst.object+json"), 406, "PGRST116"),
                                        (self.op("PATCH", "/parts?id=eq.1", {"name": "y"}, If_Match='"nonsense"'), 412, "MR024"),
                                        (self.op("GET", "/parts?nonsense=eq.1"), 400, "42703"),
                                        (self.op("GET", "/nothing"), 404, "PGRST205"),
                                        (self.op("POST", "/fixed", {"id": 21}), 405, "MR032"),
                                        (self.op("POST", "/rpc/teapot", {}), 418, "MR045"),
                                        (self.op("POST", "/rpc/writes_though_stable", {}), 405, "25006"),
                                        (self.op("POST", "/careful", {"id": 22, "name": "c"}), 400, "MR041"),
                                        (self.op("POST", "/batch", {"operations": []}), 404, "PGRST205")):
            with self.subTest(operation["path"]):
                self.assert_failed(self.batch(good, operation, good | {"body": {"id": 23, "name": "z"}}), status, 1, code)
                self.assertIsNone(self.parts("id between 20 and 30 or id = 418") or None)

    def test_what_commit_refuses_undoes_all(self):
        late = self.batch(self.op("POST", "/parts", {"id": 25, "name": "x"}), self.op("POST", "/late", {"id": 1, "part": 999}))
        self.assert_error(late, 409, "23503")
        self.assertEqual(self.parts("id = 25"), "")

    def test_a_read_does_not_make_the_others_reads(self):
        done = self.batch(self.op("POST", "/rpc/stock_of", {"part": 1}), self.op("POST", "/parts", {"id": 30, "name": "x"}),
                          self.op("GET", "/rpc/stock_of?part=30"), self.op("DELETE", "/parts?id=eq.30"))
        self.assertEqual([r["status"] for r in done.json["results"]], [200, 201, 200, 204], done.text)

    def test_what_one_says_of_its_answer_is_its_own(self):
        done = self.batch(self.op("POST", "/rpc/marked", {}), self.op("POST", "/parts", {"id": 31, "name": "x"}))
        first, second = done.json["results"]
        self.assertEqual((first["status"], first["headers"].get("X-Mark"), first["body"]), (202, "yes", "m"))
        self.assertEqual((second["status"], second["headers"].get("X-Mark")), (201, None))

    def test_the_strictest_isolation_holds_for_all(self):
        done = self.batch(self.op("GET", "/parts?id=eq.1"), self.op("POST", "/rpc/strict", {}))
        self.assertEqual(done.json["results"][1]["body"], "serializable", done.text)

    def test_numbers_keep_their_digits(self):
        body = '{"operations":[{"method":"POST","path":"/parts","body":{"id":32,"name":"pi","price":3.14159265358979323846264338327950288}}]}'
        done = self.server.request("/v1/batch", "POST", {"Content-Type": "application/json"}, body)
        self.assertEqual(done.status, 200, done.text)
        self.assertEqual(self.sql("select price from desk.parts where id = 32"), "3.14159265358979323846264338327950288")
        csv = self.batch(self.op("POST", "/parts", "id,name\n33,a\n34,b", Content_Type="text/csv"))
        self.assertEqual((csv.json["results"][0]["status"], self.parts("id in (33, 34)")), (201, "33 34"))

    def test_each_operation_is_the_callers_own(self):
        secret = self.op("POST", "/secrets", {"id": 1})
        self.assert_failed(self.batch(self.op("GET", "/parts?id=eq.1"), secret), 401, 1, "42501")
        for sub, number in (("ann", 1), ("bob", 2)):
            done = self.batch(self.op("POST", "/secrets", {"id": number}), self.op("GET", "/secrets"),
                              Authorization="Bearer " + token(role="clerk", sub=sub))
            self.assertEqual([r["body"] for r in done.json["results"]], [None, [{"id": number, "owner": sub}]])
        self.assert_error(self.batch(secret, Authorization="Bearer nonsense"), 401, "PGRST301")
        self.assert_error(self.batch(self.op("GET", "/secrets", Authorization="Bearer " + token(role="clerk"))), 400, "MR044")

    def test_other_replicas_and_this_ones_cache_learn_of_it(self):
        for replica in self.cluster.replicas:
            wait_until(lambda r=replica: "hit" in r.request("/v1/parts?id=eq.2").headers["cache-status"], 5, "no hit", 0.05)
        done = self.batch(self.op("GET", "/parts?id=eq.2"), self.op("PATCH", "/parts?id=eq.2", {"name": "new"}),
                          self.op("GET", "/parts?id=eq.2"))
        self.assertEqual([r["body"] and r["body"][0]["name"] for r in done.json["results"]], ["nut", None, "new"])
        self.assertEqual(self.get("/v1/parts?id=eq.2").json[0]["name"], "new")
        seen = self.cluster.replicas[1].request("/v1/parts?id=eq.2", headers={"Consistency-Token": done.headers["consistency-token"]})
        self.assertEqual(seen.json[0]["name"], "new")

    def test_a_batch_that_is_none(self):
        for body in ("", "[]", "{", '{"operations":[]}', '{"operations":{}}', '{"operations":[1]}', '{"operations":[{}],"x":1}',
                     '{"operations":[{"method":"GET"}]}', '{"operations":[{"path":"/parts"}]}',
                     '{"operations":[{"method":"TRACE","path":"/parts"}]}', '{"operations":[{"method":"GET","path":"parts"}]}',
                     '{"operations":[{"method":"GET","path":"/a b"}]}', '{"operations":[{"method":1,"path":"/parts"}]}',
                     '{"operations":[{"method":"GET","path":"/parts","path":"/secrets"}]}',
                     '{"operations":[{"method":"GET","path":"/parts","headers":{"Host":"x"}}]}',
                     '{"operations":[{"method":"GET","path":"/parts","headers":{"Accept":"a\\r\\nb: c"}}]}',
                     '{"operations":[{"method":"GET","path":"/parts","query":"x"}]}', "[" * 10000):
            with self.subTest(body[:60]):
                self.assert_error(self.server.request("/v1/batch", "POST", {"Content-Type": "application/json"}, body), 400, "MR044")
        self.assert_error(self.batch(*[self.op("GET", "/parts")] * 11), 413, "MR046")
        self.assertEqual(self.batch(*[self.op("GET", "/parts")] * 10).status, 200)
        self.assertEqual(self.server.request("/v1/batch", "POST", {}, "x" * (2 << 20)).status, 413)
        self.assertEqual(self.get("/v1/batch").status, 404)
        self.assertEqual(self.batch(self.op("GET", "/parts"), path="/v9/batch").status, 404)

    def test_batches_and_their_operations_are_counted(self):
        def counts():
            metrics = self.server.metrics()
            return [metrics[f'millrace_{what}_total{{result="{result}"}}'] for what in ("batches", "batch_operations")
                    for result in ("committed", "rolled_back")]

        before = counts()
        self.assertEqual(self.batch(*[self.op("GET", "/parts")] * 3).status, 200)
        self.assertEqual(self.batch(self.op("GET", "/parts"), self.op("POST", "/late", {"id": 52, "part": 1}),
                                    self.op("POST", "/late", {"id": 52, "part": 1})).status, 409)
        self.assert_failed(self.batch(self.op("GET", "/absent")), 404, 0, "PGRST205")  # none of it went to Postgres
        self.assertEqual([now - then for now, then in zip(counts(), before)], [1, 1, 3, 3])

    def test_a_key_is_of_the_whole_batch(self):
        operations = [self.op("PATCH", "/parts?id=eq.1", {"price": 7}), self.op("POST", "/late?select=id", {"id": 50, "part": 1})]
        first = self.batch(*operations, Idempotency_Key="whole")
        self.assertEqual(first.status, 200, first.text)
        again = self.batch(*operations, Idempotency_Key="whole", replica=1)
        self.assertEqual((again.status, again.body, again.headers.get("idempotent-replayed")), (200, first.body, "true"))
        self.assertEqual(again.headers["consistency-token"], first.headers["consistency-token"])
        self.assert_error(self.batch(operations[0], Idempotency_Key="whole"), 422, "MR042")
        self.assert_error(self.batch(*operations), 409, "MR045")
        answers = []
        racing = [self.op("POST", "/late", {"id": 51, "part": 1})]
        threads = [threading.Thread(target=lambda n=n: answers.append(self.batch(*racing, Idempotency_Key="race", replica=n % 2)))
                   for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual({answer.status for answer in answers}, {200, 409}, [a.text for a in answers])
        self.assertEqual({answer.json["code"] for answer in answers if answer.status == 409} - {"MR043"}, set())
        self.assertEqual(len([a for a in answers if a.status == 200 and "idempotent-replayed" not in a.headers]), 1)


class Off(SystemTest):
    def test_there_are_none_unless_they_are_allowed(self):
        body = {"operations": [{"method": "GET", "path": "/products?limit=1"}]}
        self.assert_error(self.send("POST", "/v1/batch", body), 404, "PGRST205")


class Limited(SystemTest):
    env = {"MILLRACE_BATCH_OPERATIONS_MAX": "10", "MILLRACE_LIMITS_RATE_PER_S": "1", "MILLRACE_LIMITS_RATE_BURST": "8"}

    def test_each_operation_is_charged(self):
        body = {"operations": [{"method": "GET", "path": "/products?limit=1"}] * 10}
        wait_until(lambda: self.send("POST", "/v1/batch", {"operations": body["operations"][:4]}).status == 200, 20, "never", 1)
        refused = self.send("POST", "/v1/batch", body)
        self.assert_error(refused, 429, "MR045")
        self.assertEqual(refused.json["details"]["error"]["code"], "MR021")
        self.assertIn("retry-after", refused.headers)


if __name__ == "__main__":
    main()

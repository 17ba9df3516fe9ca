"""Calls of functions over HTTP: arguments, overloads, results of every kind, transactions, against the real database."""
from harness import SystemTest, main, wait_until

FUNCTIONS = """
create function shop.add(a integer, b integer default 1) returns integer language sql immutable as 'select a + b';
create function shop.join_words(variadic words text[]) returns text language sql immutable as $$ select array_to_string(words, '-') $$;
create function shop.same(x integer) returns integer language sql immutable as 'select x';
create function shop.same(x text) returns text language sql immutable as 'select x';
create function shop.numbers(upto integer) returns setof integer language sql immutable as 'select generate_series(1, upto)';
create function shop.corner() returns table (x integer, y text) language sql immutable as $$ values (1, 'a'), (2, null) $$;
create function shop.one_product(wanted integer) returns shop.products language sql stable as 'select * from shop.products where id = wanted';
create function shop.untyped() returns record language sql stable as $$ select 1 as a, 'b' as b $$;
create function shop.nothing() returns void language sql stable as '';
create function shop.size_of(bytea) returns integer language sql immutable as 'select length($1)';
create function shop.members(json) returns setof text language sql immutable as 'select json_object_keys($1)';
create function shop.echo(text) returns text language sql immutable as 'select $1';
create sequence shop.calls;
create function shop.counted() returns setof integer language plpgsql as $$
begin perform nextval('shop.calls'); return query select generate_series(1, 5); end $$;
create function shop.isolation() returns text language sql stable set default_transaction_isolation = 'repeatable read'
as $$ select current_setting('transaction_isolation') $$;
create function shop.hurried() returns text language sql stable set statement_timeout = '321ms'
as $$ select current_setting('statement_timeout') $$;
create function shop.renamed() returns void language sql as $$
select set_config('response.headers', '[{"X-Said": "here"}]', true), set_config('response.status', '202', true) $$;
grant usage on sequence shop.calls to shop_anonymous;
"""


class Functions(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql(FUNCTIONS, "shop")
        cls.postgres.sql("notify millrace, 'reload schema'", "shop")
        wait_until(lambda: cls.server.request("/v1/rpc/renamed", "POST", body={}).status == 202, 10, "the functions are not there")

    def value(self, path):
        response = self.get(path)
        self.assertEqual(response.status, 200, response.text)
        return response.json

    def post(self, path, body, **headers):
        response = self.send("POST", path, body, **headers)
        self.assertEqual(response.status, 200, response.text)
        return response.json

    def test_arguments_come_by_url_by_json_and_by_form(self):
        self.assertEqual(self.value("/v1/rpc/add?a=2&b=3"), 5)
        self.assertEqual(self.value("/v1/rpc/add?a=2"), 3)
        self.assertEqual(self.post("/v1/rpc/add", {"a": 2, "b": 5}), 7)
        self.assertEqual(self.post("/v1/rpc/add?columns=a", {"a": 2, "b": 5}), 3)
        self.assertEqual(self.post("/v1/rpc/add", b"a=4&b=4", Content_Type="application/x-www-form-urlencoded"), 8)
        self.assertEqual(self.value("/v1/rpc/join_words?words=a&words=b%22,&words=c"), 'a-b",-c')
        self.assertEqual(self.post("/v1/rpc/join_words", {"words": ["x", "y"]}), "x-y")

    def test_one_parameter_without_a_name_takes_the_body(self):
        self.assertEqual(self.post("/v1/rpc/size_of", bytes(range(256)), Content_Type="application/octet-stream"), 256)
        self.assertEqual(self.post("/v1/rpc/echo", "h\u00e9".encode(), Content_Type="text/plain"), "h\u00e9")
        self.assertEqual(self.post("/v1/rpc/members", {"a": 1, "b": 2}), ["a", "b"])

    def test_what_fits_no_function_or_several_is_said(self):
        wrong = self.get("/v1/rpc/add?a=1&c=2")
        self.assert_error(wrong, 404, "PGRST202")
        self.assertEqual(wrong.json["hint"], "Perhaps you meant to call the function shop.add(a, b)")
        unknown = self.send("POST", "/v1/rpc/ad", {})
        self.assert_error(unknown, 404, "PGRST202")
        self.assert_error(self.get("/v1/rpc/same?x=1"), 300, "PGRST203")
        self.assert_error(self.send("DELETE", "/v1/rpc/add"), 405, "PGRST101")
        self.assertEqual(self.send("OPTIONS", "/v1/rpc/restock").headers["allow"].replace(" ", ""), "OPTIONS,POST")

    def test_results_have_the_form_of_what_the_function_returns(self):
        self.assertEqual(self.value("/v1/rpc/numbers?upto=3"), [1, 2, 3])
        self.assertEqual(self.value("/v1/rpc/corner"), [{"x": 1, "y": "a"}, {"x": 2, "y": None}])
        self.assertEqual(self.value("/v1/rpc/one_product?wanted=7&select=id"), {"id": 7})
        self.assertEqual(list(self.value("/v1/rpc/untyped").values()), [1, "b"])
        nothing = self.send("POST", "/v1/rpc/nothing", {})
        self.assertEqual((nothing.status, nothing.body), (204, b""))

    def test_rows_are_filtered_ordered_embedded_and_counted_like_those_of_a_relation(self):
        rows = self.value("/v1/rpc/bestsellers?select=id,categories(name)&id=lt.500&order=id.desc&limit=3")
        self.assertEqual(len(rows), 3)
        self.assertEqual(sorted((row["id"] for row in rows), reverse=True), [row["id"] for row in rows])
        self.assertEqual(set(rows[0]["categories"]), {"name"})
        page = self.get("/v1/rpc/bestsellers?select=id&limit=5", {"Prefer": "count=exact"})
        self.assertEqual((page.status, page.headers["content-range"]), (206, "0-4/100"))
        beyond = self.get("/v1/rpc/bestsellers?offset=300", {"Prefer": "count=exact"})
        self.assert_error(beyond, 416, "PGRST103")
        self.assertEqual(self.value("/v2/rpc/top?limit=1&select=title")[0].keys(), {"title"})
        self.assertEqual(len(self.value("/v2/rpc/top")), 20)
        self.assert_error(self.get("/v2/rpc/bestsellers"), 404, "PGRST202")

    def test_a_counted_call_runs_once(self):
        before = int(self.sql("select nextval('shop.calls')"))
        page = self.send("POST", "/v1/rpc/counted?limit=2", {}, prefer="count=exact")
        self.assertEqual((page.status, page.headers["content-range"], page.json), (206, "0-1/5", [1, 2]))
        self.assertEqual(int(self.sql("select nextval('shop.calls')")), before + 2)

    def test_only_a_post_of_a_volatile_function_changes_something(self):
        before = int(self.sql("select stock from shop.products where id = 30"))
        self.assert_error(self.get("/v1/rpc/restock?product=30&pieces=5"), 405, "25006")
        changed = self.send("POST", "/v1/rpc/restock", {"product": 30, "pieces": 5})
        self.assertEqual(changed.json, before + 5)
        self.assertIn("consistency-token", changed.headers)
        self.assertEqual(int(self.sql("select stock from shop.products where id = 30")), before + 5)

    def test_too_many_rows_undo_the_call(self):
        seen = self.send("POST", "/v1/rpc/counted", {}, prefer="handling=strict, max-affected=3")
        self.assert_error(seen, 400, "PGRST124")
        single = self.send("POST", "/v1/rpc/counted", {}, Accept="application/vnd.pgrst.object+json")
        self.assert_error(single, 406, "PGRST116")
        one = self.get("/v1/rpc/add?a=1", {"Prefer": "handling=strict, max-affected=3"})
        self.assert_error(one, 400, "PGRST128")

    def test_settings_of_a_function_hold_for_its_transaction(self):
        self.assertEqual(self.value("/v1/rpc/isolation"), "repeatable read")
        self.assertEqual(self.value("/v1/rpc/hurried"), "321ms")
        said = self.send("POST", "/v1/rpc/renamed", {})
        self.assertEqual((said.status, said.headers["x-said"]), (202, "here"))


if __name__ == "__main__":
    main()

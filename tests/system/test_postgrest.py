"""`millrace serve --postgrest`: a PostgREST configuration from a file, the environment and the database, served at / and /v1."""
import subprocess
import tempfile
from pathlib import Path

from harness import SystemTest, main

from stack import Millrace, binary  # noqa: E402

CONFIG = """
# A configuration of PostgREST.
db-schemas = "shop, annex"
db-anon-role = "shop_anonymous"
db-tx-end = "rollback-allow-override"
db-pre-request = "annex.greet"   # sets a header
db-max-rows = 10
db-pool-max-idletime = 30
server-unix-socket = "/tmp/nobody-listens"
app.settings.colour = "green"
"""

EXTRAS = """
create schema annex;
create table annex.notes (id int primary key, note text unique deferrable initially deferred);
insert into annex.notes values (1, 'one');
create function annex.greet() returns void language plpgsql as $$
begin
    perform set_config('response.headers', '[{"X-Greeting": "hello"}]', true);
    if current_setting('request.path') like '%/teapot' then perform set_config('response.status', '418', true); end if;
end $$;
create view annex.teapot as select current_setting('app.settings.colour') as colour;
grant usage on schema annex to shop_anonymous;
grant all on all tables in schema annex to shop_anonymous;
alter role shop_api set pgrst.db_aggregates_enabled = 'true';
"""


class AsPostgrest(Millrace):
    def command(self):
        return [str(binary()), "serve", "--postgrest", "--config", str(self.config)]

    def environment(self):
        ours = {key: value for key, value in super().environment().items() if "DATABASE" not in key}
        return {**ours, "PGRST_DB_URI": self.settings["MILLRACE_DATABASE_URL"], "PGRST_DB_MAX_ROWS": "3"}


class Postgrest(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql(EXTRAS, "shop")
        cls.folder = tempfile.TemporaryDirectory(prefix="millrace-postgrest-")
        cls.addClassCleanup(cls.folder.cleanup)
        config = Path(cls.folder.name, "postgrest.conf")
        config.write_text(CONFIG)
        cls.moved = AsPostgrest(cls.folder.name, cls.postgres.url("shop", "shop_api"), config=config).start()
        cls.addClassCleanup(cls.moved.stop)

    def ask(self, path, method="GET", body=None, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.moved.request(path, method=method, headers=fields, body=body)

    def test_the_same_is_served_at_the_root_and_under_v1(self):
        root, version = self.ask("/products?id=eq.1"), self.ask("/v1/products?id=eq.1")
        self.assertEqual((root.status, root.json), (200, version.json))
        self.assertEqual(root.headers["content-location"], "/products?id=eq.1")
        self.assertEqual(version.headers["content-location"], "/v1/products?id=eq.1")
        self.assertIn("/products", self.ask("/").json["paths"])

    def test_the_environment_counts_more_than_the_file_and_the_database_most(self):
        self.assertEqual(len(self.ask("/products").json), 3)
        self.assertEqual(self.ask("/categories?select=count()").json, [{"count": 50}])

    def test_profiles_choose_between_the_schemas(self):
        notes = self.ask("/notes", Accept_Profile="annex")
        self.assertEqual((notes.status, notes.json, notes.headers["content-profile"]), (200, [{"id": 1, "note": "one"}], "annex"))
        self.assert_error(self.ask("/notes"), 404, "PGRST205")
        self.assert_error(self.ask("/notes", Accept_Profile="secret"), 406, "PGRST106")

    def test_the_function_before_the_request_shapes_the_answer(self):
        teapot = self.ask("/teapot", Accept_Profile="annex")
        self.assertEqual((teapot.status, teapot.json, teapot.headers["x-greeting"]), (418, [{"colour": "green"}], "hello"))

    def test_writes_are_rolled_back_unless_the_request_says_otherwise(self):
        def insert(number, prefer):
            return self.ask("/notes", "POST", f'{{"id":{number},"note":"n{number}"}}', Content_Profile="annex", Prefer=prefer,
                            Content_Type="application/json")

        def stored(number):
            return self.sql(f"select count(*) from annex.notes where id = {number}")

        self.assertEqual(insert(2, "return=minimal").status, 201)
        self.assertEqual(stored(2), "0")
        kept = insert(3, "tx=commit")
        self.assertEqual((kept.status, kept.headers["preference-applied"]), (201, "tx=commit"))
        self.assertEqual(stored(3), "1")
        late = self.ask("/notes", "POST", '{"id":4,"note":"one"}', Content_Profile="annex", Content_Type="application/json")
        self.assert_error(late, 409, "23505")  # deferred constraints are judged before the rollback, too
        self.assertEqual(self.ask("/notes?id=eq.1", Accept_Profile="annex").status, 200)

    def test_what_has_no_meaning_is_named_in_one_line_each(self):
        said = self.moved.log_text()
        env = {"PGRST_DB_TX_END": "perhaps", "PGRST_DB_CONFIG": "false", "PGRST_LOG_QUERY": "true"}
        wrong = subprocess.run([str(binary()), "serve", "--postgrest"], env=env, text=True, capture_output=True, timeout=20, check=False)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("db-tx-end", wrong.stderr)
        self.assertEqual(sum(line.startswith("warning: log-query") for line in wrong.stderr.splitlines()), 1)
        for name in ("db-pool-max-idletime", "server-unix-socket"):
            self.assertEqual(said.count(f"warning: {name} "), 1)


if __name__ == "__main__":
    main()

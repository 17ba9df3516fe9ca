"""The command line: check, init, migrate, health; each mistake is one line with file, path and a suggestion, and exit code 2."""
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import SystemTest, main

from stack import ROOT, command  # noqa: E402
from stack.postgres import binaries  # noqa: E402


class Commands(SystemTest):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="millrace-config-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        shutil.copytree(ROOT / "config", self.folder / "config")
        self.config = self.folder / "config" / "millrace.json"
        self.table = self.folder / "config" / "routes" / "v2.json"
        self.env = {"MILLRACE_DATABASE_URL": self.postgres.url("shop")}

    def run_command(self, *arguments, env=None):
        return command(arguments, env={**self.env, **(env or {})}, capture_output=True)

    def check(self):
        return self.run_command("check", "--config", self.config)

    def test_the_shipped_configuration_is_good(self):
        done = self.check()
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_every_mistake_is_one_line_with_a_suggestion(self):
        mistakes = {
            '"relation": "products"': ('"relation": "prodcts"', "products"),
            '"title": "name"': ('"title": "nmae"', "name"),
            '"hide": ["cost"]': ('"hide": ["csot"]', "cost"),
            '"methods": ["GET"]': ('"method": ["GET"]', "methods"),
            '"page_size_max": 100': ('"page_size_max": "many"', ""),
            '"version": "v2"': ('"verson": "v2"', "version"),
        }
        good = self.table.read_text()
        for right, (wrong, suggestion) in mistakes.items():
            with self.subTest(wrong):
                self.assertIn(right, good)
                self.table.write_text(good.replace(right, wrong))
                done = self.check()
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("routes/v2.json: /", done.stderr)
                if suggestion:
                    self.assertIn(f'did you mean "{suggestion}"?', done.stderr)
                served = self.run_command("serve", "--config", self.config, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
                self.assertEqual(served.returncode, 2)
        self.table.write_text("{ not json")
        self.assertEqual(self.check().returncode, 2)

    def test_settings_are_checked_wherever_they_come_from(self):
        for arguments, env in ((["--listn", "x"], {}), (["--listen", "nowhere"], {}), ([], {"MILLRACE_WORKERS": "many"}),
                               ([], {"MILLRACE_NONSENSE": "1"})):
            with self.subTest(arguments or env):
                done = self.run_command("check", "--config", self.config, *arguments, env=env)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertTrue(done.stderr.strip())
        self.assertEqual(self.run_command("nonsense").returncode, 2)
        self.assertEqual(self.run_command("check", "--config", self.folder / "nothing.json").returncode, 2)

    def test_secrets_come_from_files_too(self):
        secret = self.folder / "url"
        secret.write_text(self.postgres.url("shop") + "\n")
        self.env = {"MILLRACE_DATABASE_URL_FILE": str(secret)}
        self.assertEqual(self.check().returncode, 0)
        self.env = {"MILLRACE_DATABASE_URL_FILE": str(self.folder / "missing")}
        self.assertEqual(self.check().returncode, 2)

    def test_init_writes_a_table_that_check_accepts(self):
        table = self.folder / "config" / "routes" / "first.json"
        done = self.run_command("init", "--schema", "shop", "--output", table, "--database-url", self.postgres.url("shop"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.run_command("init", "--schema", "shop", "--output", table).returncode, 2)
        checked = self.run_command("check", "--config", self.config, "--routes", "routes/first.json")
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def diff(self, older, newer, *more):
        return self.run_command("diff", older, newer, "--config", self.config, *more)

    def test_diff_says_what_breaks_between_versions(self):
        done = self.diff("v1", "v2")
        self.assertEqual((done.returncode, done.stderr), (1, ""), done.stdout)
        self.assertIn("breaks  products: the resource is gone\n", done.stdout)
        self.assertIn("adds    items: a new resource\n", done.stdout)
        same = self.diff("v2", "v2")
        self.assertEqual((same.returncode, same.stdout), (0, "0 of 0 difference(s) break clients of v2.\n"))

    def test_diff_holds_a_table_against_the_one_before(self):
        before = self.folder / "before.json"
        shutil.copy(self.table, before)
        self.assertEqual(self.diff(before, self.table).returncode, 0)
        self.table.write_text(self.table.read_text().replace('"hide": ["cost"]', '"hide": ["cost", "stock"]'))
        done = self.diff(before, self.table, "--json")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(json.loads(done.stdout), {"breaks": 2, "findings": [
            {"breaks": True, "where": "items.stock", "what": "the column is gone"},
            {"breaks": True, "where": "rpc/top.stock", "what": "the column is gone from its rows"}]})
        back = self.diff(self.table, before)
        self.assertEqual(back.returncode, 0)
        self.assertIn("adds    items.stock: a new column\n", back.stdout)

    def test_diff_holds_a_database_against_the_one_before(self):
        self.postgres.sql("create database before template template0")
        self.addCleanup(self.postgres.sql, "drop database before")
        with open(self.folder / "shop.sql", "w") as dump:
            subprocess.run([binaries() / "pg_dump", "--schema-only", self.postgres.url("shop")], stdout=dump, check=True)
        self.postgres.psql(["-q", "-f", self.folder / "shop.sql"], "before", capture_output=True)
        self.postgres.sql("alter table shop.categories alter column name type varchar(7)", "before")
        done = self.diff("v1", "v1", "--older-database-url", self.postgres.url("before"))
        self.assertEqual(done.returncode, 1, done.stderr + done.stdout)
        self.assertIn("breaks  categories.name: the type is text, was character varying(7)\n", done.stdout)

    def test_diff_tells_mistakes_from_breaks(self):
        for older, newer, more in (("v1", "v9", ()), ("v1", "missing.json", ()), ("v1", "v2", ("--nonsense", "1"))):
            with self.subTest(newer):
                done = self.diff(older, newer, *more)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertTrue(done.stderr.strip())
        self.assertEqual(self.run_command("diff", "v1").returncode, 2)
        away = self.run_command("diff", "v1", "v2", "--config", self.config, env={"MILLRACE_DATABASE_URL": "postgresql://127.0.0.1:1/x"})
        self.assertEqual(away.returncode, 2)

    def triggers(self):
        return int(self.sql("select count(*) from pg_trigger where tgname like 'millrace%' and not tgisinternal"))

    def test_migrate_installs_prints_and_removes(self):
        there = self.triggers()
        self.assertGreater(there, 0)
        again = self.run_command("migrate", "--config", self.config)
        self.assertEqual((again.returncode, self.triggers()), (0, there), again.stderr)
        printed = self.run_command("migrate", "--config", self.config, "--print")
        self.assertIn("create", printed.stdout.lower())
        try:
            self.assertEqual(self.run_command("migrate", "--config", self.config, "--remove").returncode, 0)
            self.assertEqual(self.triggers(), 0)
            self.assertEqual(self.sql("select count(*) from pg_namespace where nspname = 'millrace'"), "0")
        finally:
            self.assertEqual(self.run_command("migrate", "--config", self.config).returncode, 0)
        self.assertEqual(self.triggers(), there)

    def test_health_asks_a_running_process(self):
        env = {"MILLRACE_ADMIN": f"127.0.0.1:{self.server.admin_port}"}
        self.assertEqual(self.run_command("health", "--config", self.config, env=env).returncode, 0)
        self.assertEqual(self.run_command("health", "--config", self.config, env={"MILLRACE_ADMIN": "127.0.0.1:1"}).returncode, 1)
        without_file = self.run_command("health", "--config", "/nothing.json", "--admin", f"127.0.0.1:{self.server.admin_port}")
        self.assertEqual(without_file.returncode, 0, without_file.stdout)


if __name__ == "__main__":
    main()

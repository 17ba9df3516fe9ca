"""Backup and restore as docs/operations.md has them: rows and triggers come back, and no cache serves the life before."""
import json
import shutil
import subprocess
from pathlib import Path

from harness import SystemTest, main, wait_until

from stack import Millrace, Postgres, command, migrate  # noqa: E402
from stack.postgres import binaries  # noqa: E402

TABLE = {"version": "v1", "schema": "shop", "expose": "schema", "defaults": {"cache": {"ttl_s": 3600}}}
PATH = "/v1/products?id=eq.{}&select=id,stock"
KEPT = range(1, 21)


class BaseBackup(Postgres):
    """A server over a physical copy of another one."""

    def __init__(self, primary, directory):
        super().__init__(directory, settings=primary.settings, name="restored")
        self.primary = primary

    def filling(self):
        return ["pg_basebackup", "-h", "127.0.0.1", "-p", self.primary.port, "-U", "postgres", "--wal-method=stream",
                "--checkpoint=fast", "--no-sync"]


class Backup(SystemTest):
    @staticmethod
    def config(directory):
        folder = Path(directory)
        (folder / "v1.json").write_text(json.dumps(TABLE))
        (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json"]}))
        return folder / "millrace.json"

    def setUp(self):
        # What the backup has: 100. What was written after it, and is in every cache: 200.
        self.sql("update shop.products set stock = 100")

    def program(self, name, *arguments, **options):
        done = subprocess.run([binaries() / name, *map(str, arguments)], capture_output=True, text=True, check=False, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def stock(self, server, product):
        answer = server.request(PATH.format(product))
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json[0]["stock"], answer.headers.get("cache-status", "")

    def fill_caches_with_what_will_be_lost(self):
        self.sql("update shop.products set stock = 200")
        for product in KEPT:
            wait_until(lambda n=product: self.stock(self.server, n) == (200, self.stock(self.server, n)[1]), 5, "not seen")
            wait_until(lambda n=product: "hit" in self.stock(self.server, n)[1], 5, "not kept")
        wait_until(lambda: self.redis_keys() >= len(KEPT), 10, "not kept in Redis")

    def redis_keys(self):
        done = subprocess.run(["redis-cli", "-p", str(self.cluster.redis.port), "dbsize"], capture_output=True, text=True, check=True)
        return int(done.stdout)

    def replica(self, postgres, database="shop"):
        """Another one, on the same Redis, over what was restored."""
        server = Millrace(self.directory, postgres.url(database, "shop_api"), self.cluster.redis.url, config=self.cluster.config,
                          env={"MILLRACE_WORKERS": 1, "MILLRACE_DRAIN_PAUSE_MS": 0}, name="after").start()
        self.addCleanup(server.stop)
        wait_until(lambda: server.admin("/readyz").json.get("cache") == "fenced", 30, "the cache is not fenced")
        return server

    def assert_lives(self, server, postgres, database="shop"):
        """The old rows are there, none from a cache of before; triggers tell of what is written from now on."""
        for product in KEPT:
            self.assertEqual(self.stock(server, product)[0], 100)
        triggers = "select count(*) from pg_trigger where tgname like 'millrace%' and not tgisinternal"
        self.assertEqual(postgres.sql(triggers, database), self.sql(triggers))
        wait_until(lambda: "hit" in self.stock(server, 1)[1], 5, "not kept")
        postgres.sql("update shop.products set stock = 300 where id = 1", database)
        wait_until(lambda: self.stock(server, 1)[0] == 300, 5, "nobody heard of the write")

    def epoch(self, server):
        return server.admin("/cache").json["epoch"]

    def dump(self):
        dump = Path(self.directory) / "shop.dump"
        self.program("pg_dump", "-Fc", "-f", dump, self.postgres.url("shop"))
        return dump

    def test_a_base_backup_is_another_life(self):
        copy = BaseBackup(self.postgres, self.directory)
        self.addCleanup(shutil.rmtree, copy.data, ignore_errors=True)
        copy.initialise()
        self.fill_caches_with_what_will_be_lost()
        copy.start()
        self.addCleanup(copy.stop)
        server = self.replica(copy)
        self.assert_lives(server, copy)
        self.assertNotEqual(self.epoch(server), self.epoch(self.server))

    def test_a_dump_restored_into_another_server(self):
        dump = self.dump()
        roles = self.program("pg_dumpall", "--roles-only", "-d", self.postgres.url()).stdout
        self.fill_caches_with_what_will_be_lost()
        other = Postgres(self.directory, name="other").start()
        self.addCleanup(shutil.rmtree, other.data, ignore_errors=True)
        self.addCleanup(other.stop)
        other.psql(["-q", "-v", "ON_ERROR_STOP=0", "-f", "-"], input=roles, capture_output=True)  # "postgres" is there already
        other.sql("create database shop template template0")
        self.program("pg_restore", "--exit-on-error", "-d", other.url("shop"), dump)
        migrate(other, config=self.cluster.config)
        server = self.replica(other)
        self.assert_lives(server, other)
        self.assertNotEqual(self.epoch(server), self.epoch(self.server))

    def test_a_dump_restored_in_place_below_a_running_replica(self):
        dump = self.dump()
        self.fill_caches_with_what_will_be_lost()
        self.postgres.sql("drop database shop with (force)")
        self.postgres.sql("create database shop template template0")
        self.program("pg_restore", "--exit-on-error", "-d", self.postgres.url("shop"), dump)
        migrate(self.postgres, config=self.cluster.config)
        wait_until(lambda: self.server.admin("/readyz").json.get("cache") == "fenced", 30, "the cache is not fenced")
        for product in KEPT:
            self.assertEqual(self.stock(self.server, product)[0], 100, "the running replica")
        self.assert_lives(self.replica(self.postgres), self.postgres)
        checked = command(["check", "--config", self.cluster.config], env={"MILLRACE_DATABASE_URL": self.postgres.url("shop")},
                          capture_output=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)


if __name__ == "__main__":
    main()

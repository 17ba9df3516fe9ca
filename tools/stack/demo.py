"""The demo shop: makes its database once, and knows whether it is there."""
import subprocess
import sys
import time

from .postgres import binaries
from .process import ROOT

SCRIPTS = ROOT / "tools" / "demo"
DATABASE, ROLE, ANONYMOUS = "shop", "shop_api", "shop_anonymous"


def exists(postgres, database=DATABASE):
    if database not in postgres.databases():
        return False
    # The comment is the last thing that the script writes.
    return postgres.sql("select coalesce(obj_description(to_regnamespace('shop')), '') like '%ready%'", database) == "t"


def create(postgres, database=DATABASE, products=100_000, quiet=False):
    """Makes the shop's database, at full size unless told otherwise, and shows what it is doing."""
    started = time.monotonic()
    if database in postgres.databases():
        postgres.sql(f"drop database {database}")
    postgres.sql(f"create database {database}")
    done = postgres.psql(["-q", "-v", f"products={products}", "-f", str(SCRIPTS / "shop.sql")], database,
                         stdout=subprocess.DEVNULL if quiet else sys.stdout, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise RuntimeError(f"the demo shop could not be made:\n{done.stderr}")
    if not quiet:
        print(f"  the demo shop is ready ({time.monotonic() - started:.1f} s)", flush=True)


def ensure(postgres, **options):
    if not exists(postgres, options.get("database", DATABASE)):
        create(postgres, **options)


def _ask(url, question):
    done = subprocess.run([str(binaries() / "psql"), "-XqAt", "-d", url, "-c", question], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"no answer from the database: {done.stderr.strip()}")
    return done.stdout.strip()


def tables_exist(url):
    """Whether the database behind a URL (anybody's) has the demo shop's tables."""
    return _ask(url, "select to_regclass('shop.products') is not null and to_regclass('shop.order_items') is not null") == "t"


def first_table(url, schema):
    name = schema.replace("'", "''")
    return _ask(url, f"select table_name from information_schema.tables where table_schema = '{name}' order by 1 limit 1")

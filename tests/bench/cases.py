"""What is measured. Keys are drawn at random, so that neither side answers from one page."""
import base64
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from functools import partial

import measure
from stack import demo

COLUMNS = "id,name,price,stock,created_at"
KEYS, KEPT = 100_000, 100
ONE = f"?select={COLUMNS}&id=eq."
MANY = f"?select={COLUMNS}&order=id&limit=100&id=gt."
SQL_ONE = "\\set id random(1, 100000)\nselect {columns} from shop.products where id = :id;\n"
SQL_MANY = "\\set id random(1, 99000)\nselect {columns} from shop.products where id > :id order by id limit 100;\n"


TWO_EMBEDS = "?select=id,name,categories(name),favourites(customer_id)&id=eq."

SECRET = "a secret of the benchmark, long enough"
# What the cases need besides the demo shop: a role of its own for claims, a function, and a table to fill.
PREPARE = """
do $$ begin
    if to_regrole('bench_role') is null then create role bench_role nologin; end if;
end $$;
grant bench_role to shop_api;
grant usage on schema shop to bench_role;
grant select on shop.products to bench_role;
create or replace function shop.bench_product(key bigint) returns setof shop.products rows 1 language sql stable
    as 'select * from shop.products where id = key';
drop table if exists shop.bench_notes;
create table shop.bench_notes (id bigint generated always as identity primary key, note text not null);
grant insert, select on shop.bench_notes to shop_anonymous;
drop table if exists shop.bench_probes, shop.bench_written;
create table shop.bench_probes (id integer primary key, value bigint not null);
insert into shop.bench_probes values (1, 0);
create table shop.bench_written (id integer primary key, value bigint not null);
insert into shop.bench_written select n, 0 from generate_series(1, 1000) n;
grant select, update on shop.bench_probes, shop.bench_written to shop_anonymous;
"""


# The same products without triggers: what is kept of them is kept by its time alone.
UNTOLD = """
drop table if exists shop.bench_products;
create table shop.bench_products (like shop.products including all);
insert into shop.bench_products select * from shop.products;
grant select on shop.bench_products to shop_anonymous;
analyze shop.bench_products;
do $$ declare one name; begin
    for one in select tgname from pg_trigger where tgrelid = 'shop.bench_products'::regclass loop
        execute format('drop trigger %I on shop.bench_products', one);
    end loop;
end $$;
"""


@dataclass
class Case:
    name: str
    run: object  # seconds -> Sample


def random_keys(path, last):
    return f"""
math.randomseed({os.getpid()})
request = function() return wrk.format("GET", "{path}" .. math.random(1, {last})) end
"""


def inserts(path):
    return f"""
wrk.method, wrk.body, wrk.headers["Content-Type"] = "POST", '{{"note":"a note of some length"}}', "application/json"
request = function() return wrk.format(nil, "{path}") end
"""


def with_token(lua):
    def part(value):
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    signed = part({"alg": "HS256"}) + "." + part({"role": "bench_role", "sub": "1234567890"})
    signature = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()
    return f'wrk.headers["Authorization"] = "Bearer {signed}.{part(signature)}"\n' + lua


def with_api_key(key, lua=""):
    return f'wrk.headers["apikey"] = "{key}"\n' + lua


def _script(directory, name, text):
    file = directory / name
    file.write_text(text.format(columns=COLUMNS))
    return file


def all_cases(stage):
    """`stage`: the running servers (run.py)."""
    ours = {"server": stage.server, "Postgres": stage.postgres, "Redis": stage.redis}
    shared = {**ours, "server": stage.second}
    wrk = partial(measure.by_wrk, prefix=stage.elsewhere)
    pgbench = partial(measure.by_pgbench, stage.postgres, database=demo.DATABASE, user=demo.ROLE,
                      role=demo.ANONYMOUS, prefix=stage.elsewhere)
    guarded = {**ours, "server": stage.guarded}
    by_key = partial(with_api_key, stage.api_key)
    misses = {**ours, "server": stage.forgetful}
    base, second, forgetful = stage.server.base, stage.second.base, stage.forgetful.base
    one, many = _script(stage.directory, "one.sql", SQL_ONE), _script(stage.directory, "many.sql", SQL_MANY)
    return [
        Case("nginx `return`, the same bytes", lambda s: wrk(stage.nginx.base + "/", {"server": stage.nginx}, s)),
        Case("nginx `proxy_cache` hit", lambda s: wrk(f"{stage.nginx_cache.base}/bench/fronted{ONE}1", {"server": stage.nginx_cache}, s)),
        Case("Varnish hit", lambda s: wrk(f"{stage.varnish.base}/bench/fronted{ONE}1", {"server": stage.varnish}, s)),
        Case("in-process hit, one row", lambda s: wrk(f"{base}/bench/kept{ONE}1", ours, s)),
        Case("Redis hit, one row", lambda s: wrk(second, shared, s, random_keys("/bench/kept" + ONE, KEPT))),
        Case("`pgbench -M prepared`, one row", lambda s: pgbench(one, seconds=s)),
        Case("one row by key, uncached", lambda s: wrk(base, ours, s, random_keys("/bench/asked" + ONE, KEYS))),
        Case("the same, no room to keep it", lambda s: wrk(forgetful, misses, s, random_keys("/bench/asked" + ONE, KEYS))),
        Case("a miss, kept by its time alone", lambda s: wrk(forgetful, misses, s, random_keys("/bench/timed" + ONE, KEYS))),
        Case("a miss, fenced: with snapshot and tags", lambda s: wrk(forgetful, misses, s, random_keys("/bench/kept" + ONE, KEYS))),
        Case("`pgbench -M prepared`, 100 rows", lambda s: pgbench(many, seconds=s)),
        Case("100 rows, uncached", lambda s: wrk(base, ours, s, random_keys("/bench/asked" + MANY, KEYS - 1000))),
        Case("one row with two embeds", lambda s: wrk(base, ours, s, random_keys("/bench/asked" + TWO_EMBEDS, KEYS))),
        Case("role and claims, one row", lambda s: wrk(base, ours, s, with_token(random_keys("/bench/asked" + ONE, KEYS)))),
        Case("in-process hit, API key and rate limit", lambda s: wrk(f"{stage.guarded.base}/bench/kept{ONE}1", guarded, s, by_key())),
        Case("one row by key, API key and rate limit",
             lambda s: wrk(stage.guarded.base, guarded, s, by_key(random_keys("/bench/asked" + ONE, KEYS)))),
        Case("call of a function, one row", lambda s: wrk(base, ours, s, random_keys("/bench/rpc/product?key=", KEYS))),
        Case("insert of one row", lambda s: wrk(base, ours, s, inserts("/bench/notes"))),
    ]

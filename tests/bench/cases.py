"""What is measured. Keys are drawn at random, so that neither side answers from one page."""
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


@dataclass
class Case:
    name: str
    run: object  # seconds -> Sample


def random_keys(path, last):
    return f"""
math.randomseed({os.getpid()})
request = function() return wrk.format("GET", "{path}" .. math.random(1, {last})) end
"""


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
    base, second = stage.server.base, stage.second.base
    one, many = _script(stage.directory, "one.sql", SQL_ONE), _script(stage.directory, "many.sql", SQL_MANY)
    return [
        Case("nginx `return`, the same bytes", lambda s: wrk(stage.nginx.base + "/", {"server": stage.nginx}, s)),
        Case("in-process hit, one row", lambda s: wrk(f"{base}/bench/kept{ONE}1", ours, s)),
        Case("Redis hit, one row", lambda s: wrk(second, shared, s, random_keys("/bench/kept" + ONE, KEPT))),
        Case("`pgbench -M prepared`, one row", lambda s: pgbench(one, seconds=s)),
        Case("one row by key, uncached", lambda s: wrk(base, ours, s, random_keys("/bench/asked" + ONE, KEYS))),
        Case("`pgbench -M prepared`, 100 rows", lambda s: pgbench(many, seconds=s)),
        Case("100 rows, uncached", lambda s: wrk(base, ours, s, random_keys("/bench/asked" + MANY, KEYS - 1000))),
    ]

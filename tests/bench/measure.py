"""One measurement: load for some seconds, and the CPU time that each process used for it, per request."""
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from stack import Wrk  # noqa: E402
from stack.postgres import binaries  # noqa: E402

CONNECTIONS = 64


@dataclass
class Sample:
    rate: float
    p99_us: float
    cpu_us: dict = field(default_factory=dict)  # per request, by the part's name


class MeasurementFailed(RuntimeError):
    pass


def _used(parts):
    return {name: part.cpu_seconds() for name, part in parts.items()}


def _per_request(before, after, requests):
    return {name: (after[name] - before[name]) * 1e6 / requests for name in before}


def by_wrk(url, parts, seconds, lua="", prefix=()):
    """`parts`: the processes to charge, by column."""
    before = _used(parts)
    load = Wrk(url, seconds, connections=CONNECTIONS, lua=lua, prefix=prefix).result()
    after = _used(parts)
    if load.failed or not load.requests:
        raise MeasurementFailed(f"{url}: {load.failed} of {load.requests} requests failed")
    return Sample(load.rate, load.p99_us, _per_request(before, after, load.requests))


def by_pgbench(postgres, script, database, user, role, seconds, prefix=()):
    """The same statement without us: eight clients of pgbench, prepared; Postgres' share alone is charged."""
    environment = {**os.environ, "PGOPTIONS": f"-c role={role}"}
    before = _used({"Postgres": postgres})
    done = subprocess.run(
        [*prefix, str(binaries() / "pgbench"), "-n", "-M", "prepared", "-c", "8", "-j", "1", "-T", str(seconds), "-f", str(script),
         "-h", postgres.socket or "127.0.0.1", "-p", str(postgres.port), "-U", user, database],
        env=environment, capture_output=True, text=True, check=False)
    time.sleep(0.3)  # until the postmaster has collected the sessions' times
    after = _used({"Postgres": postgres})
    count = re.search(r"transactions actually processed: (\d+)", done.stdout)
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode != 0 or not count or not rate:
        raise MeasurementFailed(f"pgbench: {(done.stderr.strip() or done.stdout).splitlines()[0]}")
    return Sample(float(rate[1]), 0, _per_request(before, after, int(count[1])))

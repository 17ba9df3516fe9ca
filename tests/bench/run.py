"""`make bench`: CPU time per request of the server and of Postgres, side by side with nginx and pgbench; prints a table.

One worker on one core where there are more; wrk and pgbench on the others; 64 connections; the cases take turns, so that what
the machine does besides falls on all of them.
"""
import argparse
import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import cases  # noqa: E402
import lag  # noqa: E402
import report  # noqa: E402
from measure import MeasurementFailed  # noqa: E402
from stack import (ROOT, Foreground, Millrace, Nginx, NginxCache, Postgres, Redis, ServerFailed, Varnish, command,  # noqa: E402
                   demo, migrate, wait_until)

DIRECTORY = ROOT / ".run" / "bench"
CONFIG = Path(__file__).resolve().parent / "millrace.json"
# One worker with one pipelined lane: with a second lane half as many requests share a wake-up of Postgres.
SETTINGS = {"MILLRACE_WORKERS": 1, "MILLRACE_LOG_ACCESS": "false", "MILLRACE_DATABASE_FAST_LANES": 1,
            "MILLRACE_AUTH_JWT_SECRET": cases.SECRET, "MILLRACE_LIMITS_QUEUE_TARGET_MS": 10_000}


class Stage:
    """The servers that take part."""

    def __init__(self, run, directory):
        cores = sorted(os.sched_getaffinity(0))
        pinned = ["taskset", "-c", str(cores[0])] if len(cores) > 1 else []
        self.elsewhere = ["taskset", "-c", ",".join(map(str, cores[1:]))] if len(cores) > 1 else []
        self.directory = directory
        self.redis = run.add(Redis(directory)).start()
        self.postgres = run.add(Postgres(directory)).start()
        demo.ensure(self.postgres)
        self.postgres.sql(cases.PREPARE, demo.DATABASE)
        self.postgres.sql(cases.UNTOLD, demo.DATABASE)
        migrate(self.postgres, config=CONFIG)
        self.postgres.sql(cases.UNTOLD, demo.DATABASE)  # anew: without what migrate put there
        if self.postgres.sql("select tgname from pg_trigger where tgrelid = 'shop.bench_products'::regclass", demo.DATABASE):
            raise MeasurementFailed("shop.bench_products has triggers: what is kept of it would be fenced")
        url = self.postgres.socket_url(demo.DATABASE, demo.ROLE)
        self.server = run.add(Millrace(directory, url, "", config=CONFIG, env=SETTINGS, prefix=pinned)).start()
        # A second one keeps nothing in process, so that its hits come from Redis.
        shared = {**SETTINGS, "MILLRACE_CACHE_MEMORY_BYTES_MAX": 0}
        self.second = run.add(Millrace(directory, url, self.redis.url, config=CONFIG, env=shared, prefix=pinned,
                                       name="millrace-redis")).start()
        # A third one has room for a hundred of 100,000 entries: whatever may be kept is made into an entry, and missed again.
        forgetful = {**SETTINGS, "MILLRACE_CACHE_MEMORY_BYTES_MAX": 100_000, "MILLRACE_CACHE_ENTRY_BYTES_MAX": 10_000}
        self.forgetful = run.add(Millrace(directory, url, "", config=CONFIG, env=forgetful, prefix=pinned,
                                          name="millrace-forgetful")).start()
        # A fourth one is asked by API keys, each with a limit that all replicas share.
        guarded = {**SETTINGS, "MILLRACE_AUTH_API_KEYS": "true", "MILLRACE_LIMITS_RULES": "100000000/second by key"}
        self.guarded = run.add(Millrace(directory, url, self.redis.url, config=CONFIG, env=guarded, prefix=pinned,
                                        name="millrace-guarded")).start()
        made = command(["keys", "create", "--name", "bench", "--role", demo.ANONYMOUS, "--grant-to", demo.ROLE, "--config", CONFIG,
                        "--database-url", self.postgres.url(demo.DATABASE)], capture_output=True)
        if made.returncode != 0:
            raise MeasurementFailed(f"no API key: {made.stderr}")
        self.api_key = made.stdout.strip()
        for server in (self.server, self.second, self.forgetful, self.guarded):
            wait_until(lambda s=server: s.admin("/readyz").json["cache"] == "fenced", 20, f"{server.name} is not fenced")
        body = self.server.request(f"/bench/kept{cases.ONE}1")
        if body.status != 200:
            raise MeasurementFailed(f"the server answers {body.status}: {body.text}")
        self.nginx = run.add(Nginx(directory, body.text, prefix=pinned)).start()
        self.nginx_cache = run.add(NginxCache(directory, self.server.port, prefix=pinned)).start()
        self.varnish = run.add(Varnish(directory, self.server.port, prefix=pinned)).start()
        self.answers_come_from("in-process hit", self.server, "hit")
        self.answers_come_from("Redis hit", self.second, "hit")
        fronted = f"/bench/fronted{cases.ONE}1"
        self.answers_come_from("nginx `proxy_cache`", self.nginx_cache, "HIT", fronted, "x-cache")
        self.answers_come_from("Varnish", self.varnish, " ", fronted, "x-varnish")  # of a hit there are two numbers

    @staticmethod
    def answers_come_from(what, server, word, path=f"/bench/kept{cases.ONE}2", field="cache-status"):
        server.request(path)
        said = server.request(path).headers.get(field, "")
        if word not in said:
            print(f"warning: {what}: the second answer says {field}: {said!r}", file=sys.stderr)


def measure_all(stage, rounds, seconds, only):
    everything, failed = cases.all_cases(stage), []
    results = {case.name: [] for case in everything}
    for number in range(rounds + 1):
        for case in everything:
            if not re.search(only, case.name):
                continue
            # The first round is short and not counted: it fills caches and prepares statements.
            try:
                sample = case.run(seconds if number else 1)
            except MeasurementFailed as problem:
                failed.append(str(problem))
                continue
            if number:
                results[case.name].append(sample)
                print(f"  round {number}: {case.name}: {sum(sample.cpu_us.values()):.1f} µs, {sample.rate:,.0f}/s", flush=True)
    return results, failed


def measure_lag(run, stage, seconds):
    """Three replicas of their own, free to run on every core."""
    replicas = [run.add(Millrace(DIRECTORY, stage.postgres.socket_url(demo.DATABASE, demo.ROLE), stage.redis.url, config=CONFIG,
                                 env={**SETTINGS, "MILLRACE_DATABASE_FAST_LANES": 2}, name=f"millrace-lag{number}")).start()
                for number in (1, 2, 3)]
    for replica in replicas:
        wait_until(lambda r=replica: r.admin("/readyz").json["cache"] == "fenced", 20, f"{replica.name} is not fenced")
    return lag.measure(stage.postgres, replicas, DIRECTORY, seconds)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=4)
    options.add_argument("--lag-seconds", type=int, default=20, help="0: the lag is not measured")
    options.add_argument("--only", default="", metavar="REGEX", help="the cases whose names have that in them")
    chosen = options.parse_args()
    with Foreground(DIRECTORY) as run:
        stage = Stage(run, DIRECTORY)
        results, failed = measure_all(stage, chosen.rounds, chosen.seconds, chosen.only)
        lags = measure_lag(run, stage, chosen.lag_seconds) if chosen.lag_seconds else []
    print("\n".join(["", report.table(results), "", report.lag_table(lags), "", report.goals(results), report.lag_goal(lags)]))
    for problem in sorted(set(failed)):
        print(f"failed: {problem}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ServerFailed, MeasurementFailed, RuntimeError) as problem:
        sys.exit(f"make bench: {problem}")

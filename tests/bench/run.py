"""`make bench`: CPU time per request of the server and of Postgres, side by side with nginx and pgbench; prints a table.

One worker on one core where there are more; wrk and pgbench on the others; 64 connections; the cases take turns, so that what
the machine does besides falls on all of them.
"""
import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import cases  # noqa: E402
import report  # noqa: E402
from measure import MeasurementFailed  # noqa: E402
from stack import ROOT, Foreground, Millrace, Nginx, Postgres, Redis, ServerFailed, demo, migrate  # noqa: E402

DIRECTORY = ROOT / ".run" / "bench"
CONFIG = Path(__file__).resolve().parent / "millrace.json"
# One worker with one pipelined lane: with a second lane half as many requests share a wake-up of Postgres.
SETTINGS = {"MILLRACE_WORKERS": 1, "MILLRACE_LOG_ACCESS": "false", "MILLRACE_DATABASE_FAST_LANES": 1,
            "MILLRACE_AUTH_JWT_SECRET": cases.SECRET}


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
        migrate(self.postgres, config=CONFIG)
        url = self.postgres.socket_url(demo.DATABASE, demo.ROLE)
        self.server = run.add(Millrace(directory, url, "", config=CONFIG, env=SETTINGS, prefix=pinned)).start()
        # A second one keeps nothing in process, so that its hits come from Redis.
        shared = {**SETTINGS, "MILLRACE_CACHE_MEMORY_BYTES_MAX": 0}
        self.second = run.add(Millrace(directory, url, self.redis.url, config=CONFIG, env=shared, prefix=pinned,
                                       name="millrace-redis")).start()
        body = self.server.request(f"/bench/kept{cases.ONE}1")
        if body.status != 200:
            raise MeasurementFailed(f"the server answers {body.status}: {body.text}")
        self.nginx = run.add(Nginx(directory, body.text, prefix=pinned)).start()
        self.answers_come_from("in-process hit", self.server, "hit")
        self.answers_come_from("Redis hit", self.second, "hit")

    @staticmethod
    def answers_come_from(what, server, word):
        path = f"/bench/kept{cases.ONE}2"
        server.request(path)
        status = server.request(path).headers.get("cache-status", "")
        if word not in status:
            print(f"warning: {what}: the second answer says Cache-Status: {status!r}", file=sys.stderr)


def measure_all(stage, rounds, seconds):
    everything, failed = cases.all_cases(stage), []
    results = {case.name: [] for case in everything}
    for number in range(rounds + 1):
        for case in everything:
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


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=4)
    chosen = options.parse_args()
    with Foreground(DIRECTORY) as run:
        results, failed = measure_all(Stage(run, DIRECTORY), chosen.rounds, chosen.seconds)
    print("\n" + report.table(results) + "\n\n" + report.goals(results))
    for problem in sorted(set(failed)):
        print(f"failed: {problem}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ServerFailed, MeasurementFailed, RuntimeError) as problem:
        sys.exit(f"make bench: {problem}")

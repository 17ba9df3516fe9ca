#!/usr/bin/env python3
"""`make test-chaos`: three replicas, HAProxy, a primary with a standby, Redis; one fault after the other under a steady load.

Prints the tables of docs/reliability.md. Exit code 1 when an acknowledged write is lost or doubled. Everything is on loopback, in a
folder of its own that is removed, and ends with this process.
"""
import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import faults
from load import TABLE, Client, Load, audit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from harness import SECRET  # noqa: E402
from services import Service  # noqa: E402
from stack import Cluster, Standby, Wrk, demo, free_port, migrate, wait_until  # noqa: E402

SETTLE_S, AFTER_S = 1.5, 6
DEADLINE_S = 570
FILES_MAX = 10_000  # wrk has a socket for each of its connections, and so has who answers it


# What the readers of the load ask for may be given stale while Postgres cannot answer, for a minute.
PRODUCTS = {"relation": "products", "cache": {"ttl_s": 30, "stale_if_error_s": 60}}


def configuration(directory, services):
    folder = Path(directory)
    service = {"upstream": {"urls": [service.url for service in services], "timeout_ms": 500}}
    routes = {"version": "v1", "schema": "shop", "expose": "schema", "resources": {"products": PRODUCTS, "service": service}}
    (folder / "v1.json").write_text(json.dumps(routes))
    (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json"]}))
    return folder / "millrace.json"


class Stack:
    def __init__(self, directory):
        ports = free_port(), free_port()
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        env = {"MILLRACE_DATABASE_URL": f"postgresql://{demo.ROLE}@{hosts}/shop?target_session_attrs=read-write",
               "MILLRACE_AUTH_JWT_SECRET": SECRET}
        self.services = [Service(name).start() for name in ("one", "other")]
        self.cluster = Cluster(directory, replicas=3, products=1000, durable=True, env=env,
                               config=configuration(directory, self.services))
        self.postgres = self.cluster.postgres
        self.postgres.port = ports[0]
        self.standby = Standby(self.postgres, directory, ports[1])

    def start(self):
        self.cluster.redis.start()
        self.postgres.start()
        demo.ensure(self.postgres, products=1000, quiet=True)
        self.postgres.sql(TABLE, "shop")
        migrate(self.postgres, config=self.cluster.config)
        self.standby.start()
        # An acknowledged write is on both, so that a failover loses none; the standby itself must not wait for anybody.
        self.postgres.sql("alter system set synchronous_standby_names = '*'")
        self.postgres.sql("select pg_reload_conf()")
        for replica in self.cluster.replicas:
            replica.start(wait=False)
        for replica in self.cluster.replicas:
            replica.wait_ready()
        self.cluster.balancer.start()
        self.cluster.balancer.wait_up()

    def stop(self):
        for part in (*self.cluster.parts(), self.standby):
            if part.process is not None:
                part.kill9()
        for service in self.services:
            service.stop()

    def redis_command(self, *words):
        subprocess.run(["redis-cli", "-p", str(self.cluster.redis.port), *words], check=True, stdout=subprocess.DEVNULL)

    def alive(self):
        return self.postgres if self.postgres.running else self.standby


def seconds(moment, base):
    return f"{max(0.0, moment - base):.1f}"


def run_fault(stack, load, fault):
    """A row of the table."""
    time.sleep(SETTLE_S)
    begun = time.monotonic()
    fault.act()
    time.sleep(fault.hold_s)
    fault.undo()
    undone = time.monotonic()
    time.sleep(AFTER_S)
    wait_until(lambda: faults.healthy(stack.cluster.balancer.port), 60, f"it does not recover from: {fault.name}")
    seen = load.since(begun, time.monotonic())
    errors = [outcome for outcome in seen if outcome.result != "ok"]
    kinds = Counter(f"{outcome.kind}: {outcome.result}" for outcome in errors)
    last = max((outcome.at for outcome in errors), default=0)
    cached = [outcome for outcome in seen if outcome.kind == "cached read"]
    failed = sum(outcome.result != "ok" for outcome in cached)
    shown = "; ".join(f"{count} × {kind}" for kind, count in kinds.most_common()) or "none"
    slowest = max((outcome.took_s for outcome in seen if outcome.result == "ok"), default=0)
    note = fault.note()
    row = [fault.name, f"{len(seen)}", shown + (f" (besides: {note})" if note else ""), f"{failed} of {len(cached)}",
           f"{slowest:.1f}", seconds(last, begun), seconds(last, undone)]
    print("| " + " | ".join(row) + " |", flush=True)
    return max(0.0, last - undone) if last else 0.0


BY_KEY = "local n = 0\nrequest = function() n = n + 1; return wrk.format('GET', '/v1/orders?id=eq.' .. (n % 500 + 1)) end"


def asked(base, name, connections):
    """A row of the table; good answers a second and the p99 of all, in µs."""
    load = Wrk(base, 8, connections=connections, lua=BY_KEY).result()
    broken = load.failed - load.status_errors
    good = (load.requests - load.status_errors) / load.seconds
    print(f"| {name} | {connections} | {good:.0f} | {load.status_errors / load.seconds:.0f} | {broken} | {load.p99_us / 1000:.1f} |",
          flush=True)
    return good, load.p99_us


def overload(stack):
    """Unloaded, at the peak, and with ten times the connections of the peak; of reads that no cache answers."""
    base, one = stack.cluster.balancer.base, f"http://127.0.0.1:{stack.cluster.replicas[0].port}"
    unloaded, peak, over = (asked(base, name, connections) for name, connections in
                            (("unloaded", 2), ("the peak", 64), ("10 × the peak's connections", 640)))
    for connections in (64, 640, 4000):
        asked(one, "one replica, without HAProxy", connections)
    print(f"\nGoodput under overload is {over[0] / max(peak[0], 1):.0%} of the peak (target: at least 80 %); p99 of all answers, "
          f"refusals among them, is {over[1] / max(unloaded[1], 1):.1f} times the unloaded one (target: at most 3 times).\n")


SLEEP = """
create or replace function shop.think() returns text language sql stable as $$ select 'done' from (select pg_sleep(0.05)) s $$;
grant execute on function shop.think to shop_anonymous;
"""
PACED = "request = function() return wrk.format('GET', '/v1/rpc/think') end\nfunction delay() return {pause_ms} end"


class Thinker(Client):
    """A client of its own beside the load, whose answers are timed."""

    kind, rate = "thought", 20

    def step(self):
        self.ask("GET", "/v1/rpc/think")


def thinking(stack):
    """Statements that take Postgres 50 ms of waiting and no CPU, so that lanes are what is short: twelve of them, 240 a second."""
    stack.postgres.sql(SLEEP, "shop")
    port, rows = stack.cluster.balancer.port, []
    wait_until(lambda: stack.cluster.balancer.request("/v1/rpc/think").status == 200, 10, "the function is not there")
    print("| load | offered a second | good answers a second | refused a second | p50 and p99 ms of good answers |\n|---|---|---|---|---|")
    for name, connections, pause_ms in (("unloaded", 2, 100), ("the peak", 24, 50), ("10 × the peak", 480, 200)):
        outcomes = []
        clients = [Thinker(port, outcomes.append) for _ in range(6)]
        load = Wrk(stack.cluster.balancer.base, 10, connections=connections, lua=PACED.format(pause_ms=pause_ms))
        for client in clients:
            client.start()
        load = load.result()
        for client in clients:
            client.over.set()
            client.join()
        good = sorted(outcome.took_s * 1000 for outcome in outcomes if outcome.result == "ok")
        rate = (load.requests - load.status_errors) / load.seconds
        p50, p99 = good[len(good) // 2], good[len(good) * 99 // 100]
        rows.append((rate, p99))
        print(f"| {name} | {load.requests / load.seconds:.0f} | {rate:.0f} | {load.status_errors / load.seconds:.0f} | "
              f"{p50:.0f}, {p99:.0f} |", flush=True)
    unloaded, peak, over = rows
    print(f"\nGoodput under overload is {over[0] / max(peak[0], 1):.0%} of the peak (target: at least 80 %); p99 of good answers is "
          f"{over[1] / unloaded[1]:.1f} times the unloaded one (target: at most 3 times).\n")


def report_audit(postgres, load):
    print("\n| writes | acknowledged | of them lost | rows that are there twice | not acknowledged | of them done |\n"
          "|---|---|---|---|---|---|")
    bad = 0
    for keyed, (acknowledged, lost, doubled, done, unknown) in audit(postgres, load).items():
        print(f"| {'with an Idempotency-Key, sent again until acknowledged' if keyed else 'without a key'} | {acknowledged} | {lost} "
              f"| {doubled} | {unknown} | {done} |")
        bad += lost + doubled
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only faults whose name has this")
    only = parser.parse_args().only
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, FILES_MAX), most))
    began, slowest = time.monotonic(), 0.0
    with tempfile.TemporaryDirectory(prefix="millrace-chaos-") as directory:
        stack = Stack(directory)
        try:
            stack.start()
            if not only:
                print("| load | connections | good answers a second | refused a second | broken | p99 ms |\n|---|---|---|---|---|---|")
                overload(stack)
                thinking(stack)
            print("| fault | requests | errors that clients saw | cached reads that failed | slowest good answer, s | last error after "
                  "its begin, s | after its end, s |\n|---|---|---|---|---|---|---|", flush=True)
            with Load(stack.cluster.balancer.port) as load:
                time.sleep(2)
                for fault in faults.all_of(stack):
                    if only in fault.name and time.monotonic() - began < DEADLINE_S - 30:
                        slowest = max(slowest, run_fault(stack, load, fault))
            bad = report_audit(stack.alive(), load)
        finally:
            stack.stop()
    print(f"\nThe longest time from a fault's end to the last error was {slowest:.1f} s (target: 5 s). The run took "
          f"{time.monotonic() - began:.0f} s.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

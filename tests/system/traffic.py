"""Writers and readers that record what they did and saw, for history.judge: through the API, by psql, by COPY; from each replica
and through the balancer."""
import http.client
import json
import random
import subprocess
import threading
import time

from history import Read, Write
from stack.postgres import binaries

COUNTERS, SERIES = range(1, 7), range(1, 4)
TABLES = """
create table shop.counters (id integer primary key, value bigint not null);
insert into shop.counters select n, 1 from generate_series(1, 6) n;
create table shop.readings (series integer not null, value bigint not null);
insert into shop.readings select n, 1 from generate_series(1, 3) n;
create table shop.levels (id integer primary key, value bigint not null);
insert into shop.levels values (1, 1);
grant select, insert, update on shop.counters, shop.readings, shop.levels to shop_anonymous;
"""
QUIET = "/v1/levels?id=eq.1"  # of a table that nobody writes to without need: its entries live long


def name_of(path, row):
    """Which row of the history an answer's row is."""
    if "series" in row:
        return f"series {row['series']}"
    return f"{'level' if path == QUIET else 'counter'} {row['id']}"


class History:
    """What all of them have recorded."""

    def __init__(self):
        self.lock = threading.Lock()
        self.writes, self.reads, self.errors = [], [], 0
        began = time.monotonic()
        for row in [f"counter {n}" for n in COUNTERS] + [f"series {n}" for n in SERIES] + ["level 1"]:
            self.writes.append(Write(row, 1, began, began, how="made"))
        self.latest = None  # the newest acknowledged write that has a token
        self.values = iter(range(2, 1 << 40))

    def begin(self, row, how):
        with self.lock:
            write = Write(row, next(self.values), time.monotonic(), how=how)
            self.writes.append(write)
        return write

    def acknowledge(self, write, token=""):
        now = time.monotonic()
        with self.lock:
            write.acknowledged, write.token = now, token
            if token:
                self.latest = write

    def failed(self):
        with self.lock:
            self.errors += 1

    def forget(self, survivors, moment):
        """A failover: of each row what is newer than the value that survived is lost."""
        with self.lock:
            self.latest = None
            for write in self.writes:
                if write.value > survivors[write.row]:
                    write.lost_at = moment


class Psql:
    """One session of psql, as an administrator has it."""

    def __init__(self, postgres):
        self.process = subprocess.Popen([str(binaries() / "psql"), "-XqAt", postgres.url("shop")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def run(self, text):
        """The lines that the statements gave; OSError when the last of them failed or the session has ended."""
        self.process.stdin.write(text + "\n\\echo done :ERROR\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith("done "):
                if line.strip() == "done false" and lines:
                    return lines
                raise OSError("a statement failed")
            lines.append(line.strip())
        raise OSError("psql has ended")

    def close(self):
        self.process.kill()
        self.process.communicate()


class Worker(threading.Thread):
    """Does the same thing again until it is told to end; its errors are counted, never hidden in an answer."""

    def __init__(self, history, seed):
        super().__init__(daemon=True)
        self.history, self.random, self.over, self.paused = history, random.Random(seed), threading.Event(), threading.Event()
        self.link = None

    def run(self):
        while not self.over.is_set():
            if self.paused.is_set():
                self.over.wait(0.01)
                continue
            try:
                self.step()
            except (OSError, http.client.HTTPException, ValueError):
                self.history.failed()
                self.disconnect()
                self.over.wait(0.05)
        self.disconnect()

    def disconnect(self):
        if self.link is not None:
            self.link.close()
            self.link = None

    def ask(self, port, method, path, body=None, headers=None):
        if self.link is None or self.link.port != port:
            self.disconnect()
            self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        self.link.request(method, path, None if body is None else json.dumps(body),
                          {"Content-Type": "application/json", **(headers or {})})
        reply = self.link.getresponse()
        return reply, reply.read()


class ApiWriter(Worker):
    """Updates one row by its key. The guard keeps a write that was given up and comes late from taking back a newer one."""

    def __init__(self, history, seed, ports):
        super().__init__(history, seed)
        self.ports = ports

    def step(self):
        number = self.random.choice(COUNTERS[:3])
        write = self.history.begin(f"counter {number}", "API")
        reply, _ = self.ask(self.random.choice(self.ports), "PATCH", f"/v1/counters?id=eq.{number}&value=lt.{write.value}",
                            {"value": write.value})
        if reply.status != 204:
            raise ValueError(reply.status)
        self.history.acknowledge(write, reply.headers["Consistency-Token"])
        self.over.wait(self.random.expovariate(40))


class PsqlWriter(Worker):
    """Updates, upserts and long transactions on rows by key."""

    def __init__(self, history, seed, postgres):
        super().__init__(history, seed)
        self.postgres = postgres

    def step(self):
        self.link = self.link or Psql(self.postgres)
        number = self.random.choice(COUNTERS[3:])
        write = self.history.begin(f"counter {number}", "psql")
        change = self.random.choice([
            f"update shop.counters set value = {write.value} where id = {number}",
            f"insert into shop.counters values ({number}, {write.value}) on conflict (id) do update set value = excluded.value",
            f"update shop.counters set value = {write.value} where id = {number}; select pg_sleep(0.1)"])
        token = self.link.run(f"begin;\n{change};\nselect pg_current_xact_id();\ncommit;")[-1]
        self.history.acknowledge(write, token)
        self.over.wait(self.random.expovariate(20))


class CopyWriter(Worker):
    """Adds rows by COPY to a table that is read at large; now and then it is emptied first."""

    def __init__(self, history, seed, postgres):
        super().__init__(history, seed)
        self.postgres = postgres

    def step(self):
        self.link = self.link or Psql(self.postgres)
        empties = self.random.random() < 0.2
        chosen = SERIES if empties else [self.random.choice(SERIES)]
        writes = [self.history.begin(f"series {number}", "TRUNCATE" if empties else "COPY") for number in chosen]
        rows = "".join(f"{number}\t{write.value}\n" for number, write in zip(chosen, writes))
        first = "truncate shop.readings;" if empties else ""
        self.link.run(f"begin;{first}\ncopy shop.readings from stdin;\n{rows}\\.\nselect pg_current_xact_id();\ncommit;")
        for write in writes:
            self.history.acknowledge(write)
        self.over.wait(self.random.expovariate(15))


class Reader(Worker):
    """Reads rows by key and tables at large from one place; `tokens`: with the token of the newest write that has one."""

    def __init__(self, history, seed, place, port, tokens=False, paths=None):
        super().__init__(history, seed)
        self.place, self.port, self.tokens, self.session = place, port, tokens, 0
        self.paths = paths or PATHS

    def step(self):
        wanted = self.history.latest if self.tokens else None
        if wanted is not None:
            path, headers = f"/v1/counters?id=eq.{wanted.row.split()[1]}", {"Consistency-Token": wanted.token}
        else:
            path, headers = self.random.choice(self.paths), None
        session, sent = self.session, time.monotonic()
        reply, body = self.ask(self.port, "GET", path, headers=headers)
        received = time.monotonic()
        if reply.status != 200:
            raise ValueError(reply.status)
        self.record(json.loads(body), wanted, Read("", 0, sent, received, self.place, session, path,
                                                   reply.headers["Cache-Status"] or "", int(reply.headers["Age"] or -1)))
        self.over.wait(self.random.expovariate(300))

    def record(self, rows, wanted, seen):
        with self.history.lock:
            for row in rows:
                name = name_of(seen.path, row)
                expected = wanted.value if wanted is not None and wanted.row == name else 0
                self.history.reads.append(Read(**{**vars(seen), "row": name, "value": row["value"], "token_value": expected}))


PATHS = [f"/v1/counters?id=eq.{number}" for number in COUNTERS] + ["/v1/counters?order=id"] + [
    f"/v1/readings?series=eq.{number}&order=value.desc&limit=1" for number in SERIES]

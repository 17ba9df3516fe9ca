"""A steady mixed load through the balancer, and what became of each request: reads kept and not kept, writes, writes with a key."""
import http.client
import itertools
import json
import socket
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass

TABLE = """
create table shop.chaos (id bigint not null, keyed boolean not null, note text);
grant select, insert on shop.chaos to shop_anonymous;
"""


@dataclass
class Outcome:
    at: float    # when it ended, of the monotonic clock
    kind: str    # of the load: "cached read", …
    result: str  # "ok", "503 MR000", "timeout", …
    took_s: float


def name_of(error):
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "cut off" if isinstance(error, (OSError, http.client.HTTPException)) else type(error).__name__


class Client(threading.Thread):
    """One connection, one request after the other, `rate` a second at most."""

    kind, timeout_s, rate = "", 5, 50

    def __init__(self, port, record):
        super().__init__(daemon=True)
        self.port, self.record, self.over, self.link = port, record, threading.Event(), None

    def run(self):
        while not self.over.is_set():
            self.step()
            self.over.wait(1 / self.rate)

    def ask(self, method, path, body=None, headers=None):
        """What came of it; recorded."""
        began = time.monotonic()
        try:
            self.link = self.link or http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_s)
            self.link.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            reply = self.link.getresponse()
            text = reply.read()
            result = "ok" if reply.status < 400 else f"{reply.status} {code_of(text)}"
        except (OSError, http.client.HTTPException) as error:
            result, self.link = name_of(error), None
        self.record(Outcome(time.monotonic(), self.kind, result, time.monotonic() - began))
        return result


def code_of(text):
    try:
        return json.loads(text)["code"]
    except (ValueError, KeyError, TypeError):
        return "?"


class CachedReader(Client):
    kind = "cached read"
    numbers = itertools.count()

    def step(self):
        self.ask("GET", f"/v1/products?id=eq.{next(self.numbers) % 10 + 1}&select=id,name")


class Reader(Client):
    kind = "read"
    numbers = itertools.count()

    def step(self):
        self.ask("GET", f"/v1/orders?id=eq.{next(self.numbers) % 500 + 1}")


class ServiceReader(Client):
    kind = "read of a service"

    def step(self):
        self.ask("GET", "/v1/service/echo")


class Writer(Client):
    """Each id once; what is not acknowledged is not tried again, since nobody can tell whether it was done."""

    kind, rate = "write", 25
    numbers = itertools.count(1)

    def __init__(self, port, record):
        super().__init__(port, record)
        self.acknowledged, self.unknown = set(), set()

    def step(self):
        number = next(self.numbers)
        result = self.ask("POST", "/v1/chaos", json.dumps({"id": number, "keyed": False}))
        (self.acknowledged if result == "ok" else self.unknown).add(number)


class KeyedWriter(Client):
    """With an Idempotency-Key a write is tried again until it is acknowledged."""

    kind, rate = "write with a key", 25
    numbers = itertools.count(1)

    def __init__(self, port, record):
        super().__init__(port, record)
        self.acknowledged, self.unknown = set(), set()

    def step(self):
        number, key = next(self.numbers), str(uuid.uuid4())
        self.unknown.add(number)
        body = json.dumps({"id": number, "keyed": True})
        while not self.over.is_set():
            result = self.ask("POST", "/v1/chaos", body, {"Idempotency-Key": f'"{key}"'})
            if result == "ok":
                self.unknown.discard(number)
                self.acknowledged.add(number)
                return
            self.over.wait(0.1)


class Load:
    def __init__(self, port):
        self.outcomes = []  # list.append is atomic
        kinds = [CachedReader, CachedReader, Reader, Reader, ServiceReader, Writer, Writer, KeyedWriter]
        self.clients = [kind(port, self.outcomes.append) for kind in kinds]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.over.set()
        for client in self.clients:
            client.join(10)

    def since(self, moment, until):
        return [outcome for outcome in list(self.outcomes) if moment <= outcome.at < until]

    def writes(self, keyed):
        kind = KeyedWriter if keyed else Writer
        writers = [client for client in self.clients if isinstance(client, kind)]
        return set().union(*(w.acknowledged for w in writers)), set().union(*(w.unknown for w in writers))


def audit(postgres, load):
    """Rows of the database against answers: {keyed: (acknowledged, lost, doubled, unknown that were done)}"""
    out = {}
    for keyed in (False, True):
        rows = Counter(int(line) for line in postgres.sql(
            f"select id from shop.chaos where keyed = {keyed}", "shop").split())
        acknowledged, unknown = load.writes(keyed)
        out[keyed] = (len(acknowledged), len(acknowledged - set(rows)), sum(count > 1 for count in rows.values()),
                      len(unknown & set(rows)), len(unknown))
    return out

"""What is done to the stack: each fault a name, an act, and what undoes it."""
import http.client
import secrets
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from harness import token  # noqa: E402
from stack import request  # noqa: E402


def nothing():
    pass


@dataclass
class Fault:
    name: str
    act: Callable
    undo: Callable = nothing
    hold_s: float = 3
    note: Callable = lambda: ""  # what else it found


def killed(name, server):
    """As a supervisor would have it: dead at once, started again half a second later."""
    def again():
        server.start(wait=False)
    return Fault(f"kill -9 of {name}", server.kill9, again, 0.5)


def killed_primary(server):
    """Its end is when Postgres itself has recovered."""
    took = []

    def again():
        began = time.monotonic()
        server.start()
        took.append(time.monotonic() - began)
    return Fault("kill -9 of the primary", server.kill9, again, 0.5, lambda: f"Postgres' own recovery took {took[0]:.1f} s")


def stopped(name, server):
    return Fault(f"SIGSTOP of {name} for 3 s", server.pause, server.resume)


class LogOnFullDisk(Fault):
    """/dev/full refuses every write as a full disk does."""

    def __init__(self, replica):
        usual = replica.log

        def move(log):
            replica.log = log
            replica.stop()
            replica.start(wait=False)
        super().__init__("disk full below the log of a replica", lambda: move(Path("/dev/full")), lambda: move(usual), 5)


class Slow(Fault):
    """Clients that send their head byte by byte."""

    def __init__(self, port, clients=300):
        self.over = threading.Event()
        super().__init__(f"{clients} clients that send a byte in 0.5 s", lambda: self.begin(port, clients), self.over.set, 4)

    def begin(self, port, clients):
        links = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(clients)]

        def dribble():
            for byte in b"GET /v1/products?id=eq.1 HTTP/1.1\r\n":
                for link in links:
                    try:
                        link.send(bytes([byte]))
                    except OSError:
                        pass
                if self.over.wait(0.5):
                    break
            for link in links:
                link.close()
        threading.Thread(target=dribble, daemon=True).start()


class BadTokens(Fault):
    """Signed by somebody else, out of time, or no tokens at all."""

    def __init__(self, port):
        self.over, self.statuses, self.threads = threading.Event(), {}, []
        super().__init__("bad tokens without pause", lambda: self.begin(port), self.end, 5,
                         lambda: ", ".join(f"{count} × {status}" for status, count in sorted(self.statuses.items())))

    def begin(self, port):
        self.threads = [threading.Thread(target=self.send, args=(port,), daemon=True) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(6)

    def send(self, port):
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        good = token(role="shop_anonymous", exp=1)
        for number in range(1 << 30):
            if self.over.is_set():
                return
            bad = (good, good[:-6] + secrets.token_hex(3), secrets.token_urlsafe(200))[number % 3]
            try:
                link.request("GET", "/v1/products?id=eq.1", headers={"Authorization": f"Bearer {bad}"})
                reply = link.getresponse()
                reply.read()
                status = reply.status
            except (OSError, http.client.HTTPException) as error:
                status = type(error).__name__
                link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            self.statuses[status] = self.statuses.get(status, 0) + 1


def promotion(stack):
    def act():
        stack.postgres.kill9()
        stack.standby.promote()
    return Fault("the primary dies, the standby is promoted", act, hold_s=0)


def hanging(service):
    """One of the two addresses of a service takes requests and answers none."""
    return Fault("one of a service's two addresses hangs for 3 s", lambda: setattr(service, "hangs", True),
                 lambda: setattr(service, "hangs", False))


def all_of(stack):
    """In turn; the failover is last, since the old primary does not come back."""
    cluster = stack.cluster
    a, b, c = cluster.replicas
    servers = [("a replica", a), ("Redis", cluster.redis), ("the standby", stack.standby), ("HAProxy", cluster.balancer)]
    yield from (killed(f"{r.name}", r) for r in (a, b, c))
    yield from (killed(name, server) for name, server in servers[1:])
    yield killed_primary(cluster.postgres)
    yield from (stopped(name, server) for name, server in (*servers, ("the primary", cluster.postgres)))
    yield Fault("Redis FLUSHALL", lambda: stack.redis_command("flushall"), hold_s=0)
    yield LogOnFullDisk(c)
    yield hanging(stack.services[0])
    yield Slow(cluster.balancer.port)
    yield BadTokens(cluster.balancer.port)
    yield promotion(stack)


def healthy(port):
    try:
        return request(port, "/v1/orders?id=eq.1", timeout_s=2).status == 200
    except (OSError, http.client.HTTPException):
        return False

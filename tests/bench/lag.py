"""How long a replica keeps what has been changed, while 500 transactions a second write besides: from the acknowledgement of a
commit until the last of three replicas is asked for the first answer that is new. Each is asked without pause, so that moment is at
most the time of one answer from memory too late; how long the new answer takes to be read from the database is no part of it."""
import http.client
import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from measure import MeasurementFailed
from stack import Wrk, demo
from stack.postgres import binaries

PROBE = "/bench/probes?id=eq.1"
API_RATE, SQL_RATE = 250, 250
SQL = "\\set id random(1, 1000)\nupdate shop.bench_written set value = value + 1 where id = :id;\n"
CONNECTIONS, PAUSE_MS = 10, 40  # of the writers through the API: 250 writes a second when an answer takes no time
API = f"""
wrk.method, wrk.body, wrk.headers["Content-Type"] = "PATCH", '{{"value":1}}', "application/json"
request = function() return wrk.format(nil, "/bench/written?id=eq." .. math.random(1, 1000)) end
delay = function() return {PAUSE_MS} end
"""
GIVE_UP_S = 5


@dataclass
class Lag:
    by: str
    milliseconds: list
    writes_per_s: float

    def percentile(self, share):
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Probe:
    """Keeps a connection to each replica, and their entries warm."""

    def __init__(self, postgres, replicas):
        self.links = [http.client.HTTPConnection("127.0.0.1", replica.port, timeout=10) for replica in replicas]
        self.psql = subprocess.Popen([str(binaries() / "psql"), "-XqAt", postgres.url(demo.DATABASE)], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        self.value = 0
        self.pool = ThreadPoolExecutor(len(self.links))

    def read(self, link):
        link.request("GET", PROBE)
        reply = link.getresponse()
        return json.loads(reply.read())[0]["value"], reply.headers["Cache-Status"]

    def warm(self):
        for link in self.links:
            until = time.monotonic() + GIVE_UP_S
            while "hit" not in self.read(link)[1]:
                if time.monotonic() > until:
                    raise MeasurementFailed("the probe's row is not kept")

    def write_by_sql(self):
        self.psql.stdin.write(f"update shop.bench_probes set value = {self.value};\n\\echo done\n")
        self.psql.stdin.flush()
        self.psql.stdout.readline()

    def write_by_api(self):
        link = self.links[self.value % len(self.links)]
        link.request("PATCH", PROBE, json.dumps({"value": self.value}), {"Content-Type": "application/json"})
        reply = link.getresponse()
        reply.read()
        if reply.status != 204:
            raise MeasurementFailed(f"a write is answered {reply.status}")

    def once(self, write):
        """Milliseconds from the acknowledgement until the last of them answers anew."""
        self.warm()
        self.value += 1
        write()
        committed = time.monotonic()
        return (max(self.pool.map(self.asked_for_the_new_value, self.links)) - committed) * 1e3

    def asked_for_the_new_value(self, link):
        until = time.monotonic() + GIVE_UP_S
        while (sent := time.monotonic()) < until:
            if self.read(link)[0] == self.value:
                return sent
        raise MeasurementFailed("a replica keeps an old value")

    def close(self):
        self.pool.shutdown()
        self.psql.kill()
        self.psql.communicate()
        for link in self.links:
            link.close()


def measure(postgres, replicas, directory, seconds):
    """Half of the probes are written through the API, half by psql; so are the other writes."""
    script = directory / "written.sql"
    script.write_text(SQL)
    pgbench = subprocess.Popen([str(binaries() / "pgbench"), "-n", "-M", "prepared", "-c", "4", "-R", str(SQL_RATE), "-T", str(seconds),
                                "-f", str(script), "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "postgres", demo.DATABASE],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    before = written(postgres)
    load = Wrk(replicas[0].base, seconds, connections=CONNECTIONS, lua=API)
    probe = Probe(postgres, replicas)
    began = time.monotonic()
    lags = {"API": [], "psql": []}
    try:
        while time.monotonic() < began + seconds - 1:
            lags["psql"].append(probe.once(probe.write_by_sql))
            lags["API"].append(probe.once(probe.write_by_api))
            time.sleep(0.01)
    finally:
        probe.close()
        load.result()
        pgbench.wait()
    rate = (written(postgres) - before) / (time.monotonic() - began)
    return [Lag(by, of, rate) for by, of in lags.items()]


def written(postgres):
    postgres.sql("select pg_stat_force_next_flush()", demo.DATABASE)
    return int(postgres.sql("select n_tup_upd from pg_stat_user_tables where relname = 'bench_written'", demo.DATABASE))

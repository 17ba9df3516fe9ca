"""What the system tests share: a stack of real servers per test class, and readings of it."""
import base64
import hashlib
import hmac
import json
import shutil
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from stack import Cluster, request, wait_until  # noqa: E402

PRODUCTS = 1000
SECRET = "a secret that only the tests and their servers know"


def token(**claims):
    """A JWT with these claims, signed with SECRET."""
    def part(value):
        return base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(claims)
    return (signed + b"." + part(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest())).decode()


class SystemTest(unittest.TestCase):
    """One cluster per class: Postgres with a small demo shop, Redis, replicas, and HAProxy where `balanced`."""

    replicas = 1
    balanced = False
    decoding = False  # invalidations by logical decoding instead of triggers
    redis = True
    env = {}
    config = None  # staticmethod(directory → configuration file), where it is not the demo's

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="millrace-test-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        other = {"config": cls.config(cls.directory)} if cls.config else {}
        # Whoever tests something else than refusals must not meet any where the machine is slow.
        env = {"MILLRACE_LIMITS_QUEUE_TARGET_MS": 10_000, **cls.env}
        cls.cluster = Cluster(cls.directory, replicas=cls.replicas, products=PRODUCTS, balanced=cls.balanced, env=env,
                              decoding=cls.decoding, redis=cls.redis, **other)
        cls.cluster.start()
        cls.addClassCleanup(cls.cluster.stop)
        cls.server = cls.cluster.replicas[0]
        cls.postgres = cls.cluster.postgres
        for replica in cls.cluster.replicas:
            wait_until(lambda r=replica: r.admin("/readyz").json.get("cache") == "fenced", 30, "the cache is not fenced")

    def get(self, path, headers=None, **options):
        return self.server.request(path, headers=headers, **options)

    def send(self, method, path, body=None, prefer=None, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if prefer:
            fields["Prefer"] = prefer
        return self.server.request(path, method=method, headers=fields, body=body)

    def assert_error(self, response, status, code):
        self.assertEqual(response.status, status, response.text[:300])
        self.assertEqual(set(response.json), {"code", "message", "details", "hint"})
        self.assertEqual(response.json["code"], code, response.text)

    def sql(self, text):
        return self.postgres.sql(text, "shop")


class Readers:
    """Threads that ask without pause; every answer's status is counted, every failed connection too."""

    def __init__(self, port, paths, threads=4, pause_s=0.0):
        self.port, self.paths, self.pause_s = port, paths, pause_s
        self.counts, self.failures = {}, []
        self.lock, self.over = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self._read, args=(number,), daemon=True) for number in range(threads)]

    def _read(self, number):
        turn = number
        while not self.over.is_set():
            path = self.paths[turn % len(self.paths)]
            turn += 1
            try:
                status = request(self.port, path).status
            except OSError as error:
                status = type(error).__name__
            with self.lock:
                self.counts[status] = self.counts.get(status, 0) + 1
                if status != 200:
                    self.failures.append((path, status))
            self.over.wait(self.pause_s)

    def total(self):
        with self.lock:
            return sum(self.counts.values())

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        wait_until(lambda: self.total() > 10, 10, "the readers do not get going")
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(30)


def main():
    # Ports stay reserved and guards stay alive until the process ends: that is their purpose.
    unittest.main(verbosity=2, warnings="ignore")

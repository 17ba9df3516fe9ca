"""A process that passes large bodies on to services: what the tests of that have in common."""
import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from harness import SECRET, SystemTest, wait_until
from receivers import Receiver, Sender
from test_hardening import make_certificate

HUGE = 200 * 1024 * 1024
GROWTH_KIB_MAX = 30 * 1024
SHORT_MAX = 64 * 1024  # http.stream_bytes_min
PATIENCE_MS = 600
RATE_MIN = 128 * 1024  # bytes a second
PIECE = bytes(range(256)) * 512
CAP = 1_000_000


def digest(body):
    return hashlib.sha256(body).hexdigest()


def pattern(size):
    return (bytes(range(251)) * (size // 251 + 1))[:size]


class Uploads(SystemTest):
    """Services that tell what they got of a body, plain ones and one behind TLS."""

    @classmethod
    def setUpClass(cls):
        os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=1:thread_local_quarantine_size_kb=64")
        cls.one, cls.other = Receiver("one").start(), Receiver("other").start()
        folder = Path(tempfile.mkdtemp(prefix="millrace-test-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.certificate = make_certificate(folder, "sealed")
        cls.sealed = Receiver("sealed", tls=cls.certificate).start()
        for each in (cls.one, cls.other, cls.sealed):
            cls.addClassCleanup(each.stop)

        def route(*urls, auth="public", body_bytes_max=HUGE, methods=("GET", "POST", "PUT"), **upstream):
            return {"upstream": {"urls": list(urls), "timeout_ms": 8000, **upstream}, "auth": auth,
                    "body_bytes_max": body_bytes_max, "methods": list(methods)}

        resources = {"files": route(cls.one.url), "small": route(cls.one.url, body_bytes_max=CAP),
                     "guarded": route(cls.one.url, auth="required", body_bytes_max=CAP),
                     "hurried": {**route(cls.one.url), "timeout_ms": 1000},
                     "both": route(cls.one.url, cls.other.url), "hasty": route(cls.one.url, timeout_ms=500),
                     "sealed": route(cls.sealed.url, ca_file=str(cls.certificate[0]))}

        def config(directory):
            path = Path(directory) / "config"
            path.mkdir()
            (path / "v1.json").write_text(json.dumps({"version": "v1", "schema": "shop", "expose": "schema",
                                                      "resources": resources}))
            (path / "millrace.json").write_text(json.dumps({
                "routes": ["v1.json"], "auth": {"jwt_secret": SECRET},
                "http": {"stream_bytes_min": SHORT_MAX, "body_timeout_ms": PATIENCE_MS,
                         "upload_bytes_per_s_min": RATE_MIN},
                "limits": {"breaker_failures_max": 1000, "deadline_ms": 60000}}))
            return path / "millrace.json"

        cls.config = staticmethod(config)
        super().setUpClass()

    def setUp(self):
        for each in (self.one, self.other, self.sealed):
            each.go_on.clear()
            each.ended_after = None

    def sender(self, **options):
        return Sender(self.server.port, **options)

    def memory_kib(self, name):
        return next(int(line.split()[1]) for line in Path(f"/proc/{self.server.pid}/status").read_text().splitlines()
                    if line.startswith(name + ":"))

    def arrived(self, count, size=0):
        """Waits until the service has got that many requests, and so much of the last one's body."""
        wait_until(lambda: len(self.one.uploads) >= count and self.one.last.size >= size, 10, "the service does not get it")
        return self.one.last

    def assert_incomplete(self, upload):
        self.assertTrue(upload.over.wait(10), "the service still waits for the rest")
        self.assertIs(upload.whole, False)

    def assert_refused(self, sender, status, code):
        answer, fields, body = sender.answer()
        self.assertEqual((answer, json.loads(body)["code"]), (status, code))
        return fields

    def assert_well(self):
        """Whatever happened: the next request is answered as if nothing had."""
        body = pattern(SHORT_MAX * 2)
        answer = self.send("PUT", "/v1/files", body=body)
        self.assertEqual((answer.status, answer.json["digest"]), (200, digest(body)))

    @staticmethod
    def flood(sender, chunked):
        with contextlib.suppress(OSError):
            for _ in range(HUGE // len(PIECE)):
                (sender.chunk if chunked else sender.send)(PIECE)

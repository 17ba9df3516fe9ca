"""Load by wrk: requests a second, percentiles, and every kind of failure counted."""
import json
import subprocess
import tempfile
from dataclasses import dataclass

SUMMARY = """
function done(summary, latency, requests)
  local e = summary.errors
  io.stderr:write(string.format(
    '{"requests":%d,"seconds":%.6f,"bytes":%d,"status_errors":%d,"connect_errors":%d,"read_errors":%d,' ..
    '"write_errors":%d,"timeouts":%d,"p50_us":%d,"p99_us":%d,"max_us":%d}\\n',
    summary.requests, summary.duration / 1e6, summary.bytes, e.status, e.connect, e.read, e.write, e.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
"""


@dataclass
class Load:
    requests: int
    seconds: float
    bytes: int
    status_errors: int  # answers of 400 and above
    connect_errors: int
    read_errors: int
    write_errors: int
    timeouts: int
    p50_us: int
    p99_us: int
    max_us: int

    @property
    def failed(self):
        return self.status_errors + self.connect_errors + self.read_errors + self.write_errors + self.timeouts

    @property
    def rate(self):
        return self.requests / self.seconds


class Wrk:
    """Starts at once; result() waits for its end."""

    def __init__(self, url, seconds, connections=64, threads=1, lua="", headers=None, timeout_s=10, prefix=()):
        self.script = tempfile.NamedTemporaryFile("w", suffix=".lua", prefix="millrace-")
        self.script.write(lua + SUMMARY)
        self.script.flush()
        fields = [part for name, value in (headers or {}).items() for part in ("-H", f"{name}: {value}")]
        self.process = subprocess.Popen(
            [*prefix, "wrk", "-t", str(threads), "-c", str(connections), "-d", f"{seconds}s", "--timeout", f"{timeout_s}s",
             "-s", self.script.name, *fields, url],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/")

    def result(self):
        out, err = self.process.communicate()
        self.script.close()
        lines = [line for line in err.splitlines() if line.startswith("{")]
        if self.process.returncode != 0 or not lines:
            raise RuntimeError(f"wrk failed: {out}{err}")
        return Load(**json.loads(lines[-1]))


def load(url, seconds, **options):
    return Wrk(url, seconds, **options).result()

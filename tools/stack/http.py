"""A small HTTP client for tests and scripts: one request, one Response; errors of the connection are raised."""
import http.client
import json
from dataclasses import dataclass, field


@dataclass
class Response:
    status: int
    headers: dict = field(default_factory=dict)  # names in lower case; repeated fields joined by ", "
    body: bytes = b""

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


def request(port, path, method="GET", headers=None, body=None, host="127.0.0.1", timeout_s=10):
    """Sends one request on a connection of its own. A body that is not bytes or str is sent as JSON."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    link = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        link.request(method, path, body=body, headers=headers)
        reply = link.getresponse()
        fields = {}
        for name, value in reply.getheaders():
            name = name.lower()
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        return Response(reply.status, fields, reply.read())
    finally:
        link.close()


def answers(port, path, status=200):
    """Whether a GET is answered with this status now."""
    try:
        return request(port, path, timeout_s=2).status == status
    except (OSError, http.client.HTTPException):
        return False


def metrics(port, path="/metrics"):
    """Samples of a Prometheus exposition: {'name{label="value"}': 1.0}."""
    samples = {}
    for line in request(port, path).text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            samples[name] = float(value)
    return samples

"""Free loopback ports: below the range of outgoing connections, so that a restarted server finds its port free again."""
import json
import random
import socket

FIRST, LAST = 20000, 31999
_held = {}


def _is_free(port):
    # The abstract socket says to other test processes of this machine that the port is taken, before anything listens.
    claim = socket.socket(socket.AF_UNIX)
    probe = socket.socket()
    try:
        claim.bind(f"\0millrace-port-{port}")
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        _held[port] = claim
        return True
    except OSError:
        claim.close()
        return False
    finally:
        probe.close()


def free_port(preferred=0):
    """A port that nobody listens on; the preferred one when it is free."""
    if preferred and (preferred in _held or _is_free(preferred)):
        return preferred
    for port in random.SystemRandom().sample(range(FIRST, LAST + 1), 200):
        if port not in _held and _is_free(port):
            return port
    raise RuntimeError("no free port found")


class RememberedPorts:
    """Ports by name, kept in a file so that the next run uses the same ones while they are free."""

    def __init__(self, file):
        self.file = file
        self.ports = json.loads(file.read_text()) if file.exists() else {}

    def get(self, name):
        self.ports[name] = free_port(self.ports.get(name, 0))
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(self.ports, indent=2) + "\n")
        return self.ports[name]

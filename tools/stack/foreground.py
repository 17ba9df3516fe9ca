"""What `make run` and `make demo-cluster` share: one at a time per folder, everything stops on Ctrl-C, a crash is shown."""
import fcntl
import os
import signal
import socket
import sys
import time

from .process import ServerFailed


def listen_address(variable="MILLRACE_LISTEN", default="127.0.0.1:8080"):
    """Host and port that the user wants; fails when somebody listens there already."""
    host, _, port = os.environ.get(variable, default).rpartition(":")
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((host.replace("0.0.0.0", "127.0.0.1"), int(port))) == 0:
            raise ServerFailed(f"{host}:{port} is in use; choose another address, for example {variable}={host}:{int(port) + 1}")
    return host, int(port)


class Foreground:
    """with Foreground(directory) as run: run.add(Redis(…)).start() …; run.wait()"""

    def __init__(self, directory):
        directory.mkdir(parents=True, exist_ok=True)
        self.lock = open(directory / "lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ServerFailed(f"another run uses {directory}; end that one first") from None
        self.parts = []

    def add(self, part):
        self.parts.append(part)
        return part

    def wait(self):
        """Until Ctrl-C or SIGTERM, or until a part ends by itself."""
        while True:
            for part in self.parts:
                if not part.running:
                    raise ServerFailed(f"{part.name} ended by itself:\n{part.log_tail()}")
            time.sleep(0.3)

    def __enter__(self):
        def interrupt(*_):
            raise KeyboardInterrupt
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, interrupt)
        return self

    def __exit__(self, kind, error, _):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if kind is KeyboardInterrupt:
            print("\nstopping …", flush=True)
        failed = False
        for part in reversed(self.parts):
            try:
                part.stop()
            except ServerFailed as problem:
                print(problem, file=sys.stderr)
                failed = True
        if kind is KeyboardInterrupt and not failed:
            return True
        return False

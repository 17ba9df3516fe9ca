"""A server as a child process: start, wait until ready, stop, kill, pause; its log and the CPU time it has used."""
import os
import signal
import subprocess
import time
from pathlib import Path

from . import guard

ROOT = Path(__file__).resolve().parents[2]


class ServerFailed(RuntimeError):
    pass


def wait_until(condition, timeout_s, what, period_s=0.02):
    """Polls; returns the condition's first true value, fails with `what` when the time is over."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} (waited {timeout_s} s)")
        time.sleep(period_s)


def descendants(pid):
    """The process and all below it."""
    children, todo, found = {}, [pid], []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    while todo:
        found.append(todo.pop())
        todo.extend(children.get(found[-1], []))
    return found


def cpu_seconds(pids):
    """User and system time that processes have used, with that of their ended children."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


class Process:
    stop_signal = signal.SIGTERM
    start_timeout_s = 30

    def __init__(self, name, directory):
        self.name = name
        self.directory = Path(directory).absolute()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log = self.directory / f"{name}.log"
        self.process = None
        self.asked = False  # to stop: a second signal would mean "at once" to some

    # What a kind of server says of itself.
    def command(self):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ)

    def ready(self):
        raise NotImplementedError

    # What everyone does with it.
    def start(self, wait=True):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                            env=self.environment(), cwd="/", start_new_session=True)
        self.asked = False
        guard.started(self.process.pid, self.stop_signal)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout_s=None):
        def ready_or_dead():
            if not self.running:
                raise ServerFailed(f"{self.name} ended with {self.process.returncode} while starting:\n{self.log_tail()}")
            return self.ready()
        try:
            wait_until(ready_or_dead, timeout_s or self.start_timeout_s, f"{self.name} is not ready")
        except TimeoutError as error:
            raise ServerFailed(f"{error}:\n{self.log_tail()}") from None

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def ask_to_stop(self):
        if self.running and not self.asked:
            self.asked = True
            self.resume()
            self.process.send_signal(self.stop_signal)

    def stop(self, timeout_s=40):
        """Asks it to end and waits; the exit code (negative: the signal that ended it), None when it was not started."""
        if self.process is None:
            return None
        self.ask_to_stop()
        return self._reap(timeout_s)

    def kill9(self):
        """Ends it and its children at once, as a crash would."""
        if self.running:
            self._signal_all(signal.SIGKILL)
        self._reap(10)

    def _reap(self, timeout_s):
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise ServerFailed(f"{self.name} did not stop within {timeout_s} s:\n{self.log_tail()}") from None
        guard.ended(self.process.pid)
        return self.process.returncode

    def restart(self, wait=True):
        code = self.stop()
        self.start(wait)
        return code

    def pause(self):
        self._signal_all(signal.SIGSTOP)

    def resume(self):
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number):
        for pid in descendants(self.pid):
            try:
                os.kill(pid, number)
            except ProcessLookupError:  # it has ended since it was listed
                pass

    def signal(self, number):
        self.process.send_signal(number)

    def cpu_seconds(self):
        return cpu_seconds(descendants(self.pid))

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self, lines=30):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def __enter__(self):
        return self if self.running else self.start()

    def __exit__(self, *_):
        self.stop()

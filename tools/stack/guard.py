"""Ends the servers of a process that was killed before it could end them itself.

One small process per Python process holds the read end of a pipe. It is told which pids were started and which have ended;
when the pipe closes and some are left, it ends them. Unlike PR_SET_PDEATHSIG this does not depend on the thread that started
a server, and it survives a change of user.
"""
import os
import signal
import subprocess
import sys
import threading

_lock = threading.Lock()
_pipe = None


def _tell(line):
    global _pipe
    with _lock:
        if _pipe is None:
            _pipe = subprocess.Popen([sys.executable, "-IS", os.path.abspath(__file__)], stdin=subprocess.PIPE,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True).stdin
        _pipe.write(line.encode())
        _pipe.flush()


def started(pid, stop_signal):
    _tell(f"+ {pid} {int(stop_signal)}\n")


def ended(pid):
    _tell(f"- {pid}\n")


def _signal(pid, number):
    try:
        os.kill(pid, number)
        return True
    except OSError:
        return False


def _watch():
    import time
    left = {}
    for line in sys.stdin:
        sign, pid, *number = line.split()
        if sign == "+":
            left[int(pid)] = int(number[0])
        else:
            left.pop(int(pid), None)
    for pid, number in reversed(list(left.items())):
        _signal(pid, signal.SIGCONT)
        _signal(pid, number)
    deadline = time.monotonic() + 10
    while any(_signal(pid, 0) for pid in left) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in left:
        _signal(pid, signal.SIGKILL)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _watch()

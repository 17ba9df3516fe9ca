"""Where a private Postgres lives: in the folder it was given, or elsewhere when the user postgres cannot get there."""
import atexit
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from .process import ServerFailed

ELSEWHERE = Path("/var/tmp")


def as_postgres():
    """Postgres refuses to run as root: a prefix that runs a command as the user postgres when we are root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _reachable(directory):
    return subprocess.run(as_postgres() + ["test", "-x", directory], cwd="/", check=False).returncode == 0


def _sweep():
    """Removes homes elsewhere whose folder is gone: after a test, after `make clean`."""
    for home in ELSEWHERE.glob("millrace-*"):
        try:
            if home.stat().st_uid == os.geteuid() and not Path((home / "origin").read_text()).exists():
                shutil.rmtree(home, ignore_errors=True)
        except OSError:
            continue


def home_for(directory):
    """The directory itself when it will do, else one under /var/tmp that lasts as long as the directory does."""
    directory = Path(directory).absolute()
    directory.mkdir(parents=True, exist_ok=True)
    if _reachable(directory):
        return directory
    # A folder of ours that is only closed itself (a temporary one) may be passed through, not read, by others.
    directory.chmod(directory.stat().st_mode | 0o011)
    if _reachable(directory):
        return directory
    home = ELSEWHERE / f"millrace-{hashlib.sha256(str(directory).encode()).hexdigest()[:12]}"
    home.mkdir(mode=0o755, exist_ok=True)
    if home.stat().st_uid != os.geteuid():
        raise ServerFailed(f"{home} belongs to somebody else")
    (home / "origin").write_text(str(directory))
    _sweep()
    atexit.register(_sweep)
    return home

"""A private Postgres: its own data directory, a loopback port and a unix socket, trust for local connections."""
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

from .ports import free_port
from .postgres_home import as_postgres, home_for
from .process import Process, ServerFailed

SOCKET_PATH_MAX = 92  # of its folder: the kernel's limit is 107, and "/.s.PGSQL.12345" is part of it


def binaries():
    """The folder of Postgres' programs: $POSTGRES_BIN, Debian's for 15, or the newest one there is."""
    if "POSTGRES_BIN" in os.environ:
        return Path(os.environ["POSTGRES_BIN"])
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    preferred = Path("/usr/lib/postgresql/15/bin")
    if (preferred / "postgres").exists():
        return preferred
    if found:
        return found[-1].parent
    raise ServerFailed("Postgres' server programs were not found; 'make deps' installs them")


class Postgres(Process):
    stop_signal = signal.SIGINT  # fast: ends sessions, loses nothing
    start_timeout_s = 60

    def __init__(self, directory, port=0, settings=None, durable=False, name="postgres"):
        super().__init__(name, directory)
        self.port = port or free_port()
        self.settings = dict(settings or {})
        if not durable:
            self.settings.update({"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"})
        self.home = home_for(self.directory)
        self.data = self.home / f"{name}-data"
        self.socket = str(self.data) if len(str(self.data)) <= SOCKET_PATH_MAX else ""

    # Addresses.
    def url(self, database="postgres", user="postgres"):
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def socket_url(self, database="postgres", user="postgres"):
        if not self.socket:
            return self.url(database, user)
        return f"postgresql://{user}@/{database}?host={self.socket}&port={self.port}"

    # The process.
    @property
    def initialised(self):
        # Written last, so a data directory that was left half made is made again.
        return self._sudo(["test", "-f", self.data / "millrace-initialised"]).returncode == 0

    def _sudo(self, command, **options):
        return subprocess.run(as_postgres() + [str(part) for part in command], cwd="/", check=False, **options)

    def initialise(self):
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.data, owner.pw_uid, owner.pw_gid)
        program, *arguments = self.filling()
        done = self._sudo([binaries() / program, "-D", self.data, *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise ServerFailed(f"{program} failed:\n{done.stdout}{done.stderr}")
        self._sudo(["touch", self.data / "millrace-initialised"])

    def filling(self):
        """The program that fills the empty data directory, and its arguments."""
        return ["initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]

    def command(self):
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.socket,
                    "max_connections": 200, "shared_buffers": "256MB", "jit": "off", **self.settings}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return as_postgres() + [str(binaries() / "postgres"), "-D", str(self.data), *flags]

    def start(self, wait=True):
        if not self.initialised:
            self.initialise()
        return super().start(wait)

    def ready(self):
        check = [str(binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(check, check=False).returncode == 0

    def crash(self):
        """Immediate shutdown: sessions are cut, the next start recovers."""
        self.process.send_signal(signal.SIGQUIT)
        self._reap(30)

    # SQL, through psql.
    def psql(self, arguments, database="postgres", user="postgres", **options):
        command = [str(binaries() / "psql"), "-X", "-v", "ON_ERROR_STOP=1", "-d", self.url(database, user), *arguments]
        return subprocess.run(command, check=False, text=True, **options)

    def sql(self, text, database="postgres", user="postgres"):
        """Runs statements; what they print, unaligned and without headings."""
        done = self.psql(["-qAt", "-f", "-"], database, user, input=text, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return done.stdout.strip()

    def databases(self):
        return self.sql("select datname from pg_database").split()

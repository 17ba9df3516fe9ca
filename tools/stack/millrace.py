"""One replica of the server under test, configured by environment variables over a configuration file."""
import os
import subprocess
from pathlib import Path

from .http import answers, metrics, request
from .ports import free_port
from .process import ROOT, Process

CONFIG = ROOT / "config" / "millrace.json"


def binary():
    """The server's program: $MILLRACE, or the release build."""
    return Path(os.environ.get("MILLRACE") or ROOT / "build" / "release" / "millrace").absolute()


def command(arguments, env=None, **options):
    """Runs another command of the binary (check, init, migrate) to its end."""
    options.setdefault("text", True)
    return subprocess.run([str(binary()), *map(str, arguments)], env={**os.environ, **(env or {})}, check=False, **options)


class Millrace(Process):
    def __init__(self, directory, database_url, redis_url="", port=0, admin_port=0, config=CONFIG, env=None,
                 name="millrace", prefix=(), anonymous_role="shop_anonymous", host="127.0.0.1"):
        """`env` holds more MILLRACE_… variables; `prefix` is put before the command (["taskset", "-c", "0"])."""
        super().__init__(name, directory)
        self.host = host
        self.port = port or free_port()
        self.admin_port = admin_port or free_port()
        self.config = Path(config).absolute()
        self.prefix = list(prefix)
        self.settings = {
            "MILLRACE_LISTEN": f"{host}:{self.port}",
            "MILLRACE_ADMIN": f"127.0.0.1:{self.admin_port}",
            "MILLRACE_DATABASE_URL": database_url,
            "MILLRACE_DATABASE_ANONYMOUS_ROLE": anonymous_role,
            "MILLRACE_REDIS_URL": redis_url,
            **{key: str(value) for key, value in (env or {}).items()},
        }

    @property
    def base(self):
        return f"http://{self.host}:{self.port}"

    def command(self):
        return [*self.prefix, str(binary()), "serve", "--config", str(self.config)]

    def environment(self):
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("MILLRACE_")}
        return {**inherited, **self.settings}

    def ready(self):
        return answers(self.admin_port, "/readyz")

    def live(self):
        return answers(self.admin_port, "/livez")

    def request(self, path, method="GET", headers=None, body=None, **options):
        return request(self.port, path, method, headers, body, host=self.host, **options)

    def admin(self, path, method="GET", **options):
        return request(self.admin_port, path, method, **options)

    def metrics(self):
        return metrics(self.admin_port)

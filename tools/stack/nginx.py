"""nginx, as what returns fixed bytes (the measure that the benchmark holds our own answers against) and as a cache in front."""
import os
import re

from .http import answers, request
from .ports import free_port
from .process import ROOT, Process

CACHE = ROOT / "deploy" / "nginx" / "millrace.conf"


def frame(server, body):
    """A whole configuration around what belongs into the http block."""
    temporary = "\n".join(f"  {kind}_temp_path {server.directory}/{kind};"
                          for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    # Its workers would give up being root, and could then not reach the directory.
    user = "user root;\n" if os.geteuid() == 0 else ""
    return f"""{user}daemon off;
worker_processes 1;
pid {server.directory}/{server.name}.pid;
error_log {server.log} warn;
events {{ worker_connections 1024; }}
http {{
{temporary}
  access_log off;
  keepalive_requests 100000000;
{body}
}}
"""


class Nginx(Process):
    def __init__(self, directory, body, content_type="application/json; charset=utf-8", port=0, prefix=(), name="nginx"):
        super().__init__(name, directory)
        self.port = port or free_port()
        self.prefix = list(prefix)
        self.config = self.directory / f"{name}.conf"
        self.body, self.content_type = body, content_type

    def _write_config(self):
        body = self.body.replace("\\", "\\\\").replace("'", "\\'").replace("$", "${dollar}")
        self.config.write_text(frame(self, f"""  geo $dollar {{ default "$"; }}
  server {{
    listen 127.0.0.1:{self.port};
    location / {{ default_type '{self.content_type}'; return 200 '{body}'; }}
  }}"""))

    def command(self):
        self._write_config()
        return [*self.prefix, "nginx", "-c", str(self.config), "-p", str(self.directory)]

    def ready(self):
        return answers(self.port, "/")

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"


class NginxCache(Process):
    """nginx with deploy/nginx/millrace.conf in front of a server."""

    def __init__(self, directory, backend_port, port=0, prefix=(), name="nginx-cache"):
        super().__init__(name, directory)
        self.port = port or free_port()
        self.backend_port = backend_port
        self.prefix = list(prefix)
        self.config = self.directory / f"{name}.conf"

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def command(self):
        text = CACHE.read_text().replace("/var/cache/nginx/millrace", str(self.directory / "kept"))
        text = text.replace("listen 8080;", f"listen 127.0.0.1:{self.port};")
        text = re.sub(r"server 127\.0\.0\.1:\d+;", f"server 127.0.0.1:{self.backend_port};", text)
        self.config.write_text(frame(self, text))
        return [*self.prefix, "nginx", "-c", str(self.config), "-p", str(self.directory)]

    def ready(self):
        return answers(self.port, "/", 502) or answers(self.port, "/", 200) or answers(self.port, "/", 404)

    def request(self, path, method="GET", headers=None, body=None, **options):
        return request(self.port, path, method, headers, body, **options)

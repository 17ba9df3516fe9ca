"""An nginx that returns fixed bytes, and one that caches another server's: the measures that the benchmark holds ours against."""
from .http import answers
from .ports import free_port
from .process import Process


class Nginx(Process):
    def __init__(self, directory, body, content_type="application/json; charset=utf-8", port=0, prefix=(), name="nginx"):
        super().__init__(name, directory)
        self.port = port or free_port()
        self.prefix = list(prefix)
        self.config = self.directory / f"{name}.conf"
        self.body, self.content_type = body, content_type

    def location(self):
        body = self.body.replace("\\", "\\\\").replace("'", "\\'").replace("$", "${dollar}")
        return f"default_type '{self.content_type}'; return 200 '{body}';"

    def http_line(self):
        return ""

    def _write_config(self):
        temporary = "\n".join(f"  {kind}_temp_path {self.directory}/{kind};"
                              for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.config.write_text(f"""daemon off;
worker_processes 1;
pid {self.directory}/{self.name}.pid;
error_log {self.log} warn;
events {{ worker_connections 1024; }}
http {{
{temporary}
  access_log off;
  keepalive_requests 100000000;
  geo $dollar {{ default "$"; }}
  {self.http_line()}
  server {{
    listen 127.0.0.1:{self.port};
    location / {{ {self.location()} }}
  }}
}}
""")

    def command(self):
        self._write_config()
        return [*self.prefix, "nginx", "-c", str(self.config), "-p", str(self.directory)]

    def ready(self):
        return answers(self.port, "/")

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"


class CachingNginx(Nginx):
    """Keeps what another server answers (proxy_cache), whatever that says of caching."""

    def __init__(self, directory, backend_port, port=0, prefix=(), name="nginx-cache"):
        super().__init__(directory, "", port=port, prefix=prefix, name=name)
        self.backend_port = backend_port

    def http_line(self):
        return f"proxy_cache_path {self.directory}/{self.name}-cache keys_zone=answers:1m;"

    def location(self):
        return (f"proxy_pass http://127.0.0.1:{self.backend_port}; proxy_cache answers; proxy_cache_valid 200 1h; "
                "proxy_ignore_headers Cache-Control Expires Vary Set-Cookie;")

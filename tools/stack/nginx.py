"""An nginx that returns fixed bytes: the measure that the benchmark holds our own answers against."""
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

    def _write_config(self):
        body = self.body.replace("\\", "\\\\").replace("'", "\\'").replace("$", "${dollar}")
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
  server {{
    listen 127.0.0.1:{self.port};
    location / {{ default_type '{self.content_type}'; return 200 '{body}'; }}
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

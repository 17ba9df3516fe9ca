"""A Varnish in front of another server, with the VCL of deploy/varnish/millrace.vcl or another."""
import re

from .http import answers, request
from .ports import free_port
from .process import ROOT, Process

VCL = ROOT / "deploy" / "varnish" / "millrace.vcl"


class Varnish(Process):
    start_timeout_s = 60  # it compiles its VCL with a C compiler

    def __init__(self, directory, backend_port, port=0, vcl=VCL, parameters=(), prefix=(), name="varnish"):
        """`vcl`: a file whose default backend is replaced by `backend_port`; nothing: Varnish's own rules alone.
        `parameters`: ("http_range_support=off", …)."""
        super().__init__(name, directory)
        self.port = port or free_port()
        self.backend_port = backend_port
        self.vcl, self.parameters, self.prefix = vcl, list(parameters), list(prefix)
        self.home = self.directory / f"{name}-home"

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def _write_vcl(self):
        text = self.vcl.read_text() if self.vcl else 'vcl 4.1;\nbackend default {\n    .host = "127.0.0.1";\n    .port = "1";\n}\n'
        text = re.sub(r'\.port = "\d+";', f'.port = "{self.backend_port}";', text, count=1)
        written = self.directory / f"{self.name}.vcl"
        written.write_text(text)
        return written

    def command(self):
        options = [part for parameter in self.parameters for part in ("-p", parameter)]
        return [*self.prefix, "varnishd", "-F", "-j", "none", "-n", str(self.home), "-a", f"127.0.0.1:{self.port}", "-s", "malloc,64m",
                "-p", "thread_pool_min=10", *options, "-f", str(self._write_vcl())]

    def ready(self):
        # Anything that Varnish answers itself will do: what is behind it need not be there.
        return answers(self.port, "/", 200) or answers(self.port, "/", 503) or answers(self.port, "/", 404)

    def request(self, path, method="GET", headers=None, body=None, **options):
        return request(self.port, path, method, headers, body, **options)

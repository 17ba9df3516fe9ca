"""HAProxy with the configuration that the compose file uses, deploy/haproxy/haproxy.cfg; addresses come as variables."""
import csv
import os
import subprocess

from .http import answers, request
from .ports import free_port
from .process import ROOT, Process, ServerFailed, wait_until

CONFIG = ROOT / "deploy" / "haproxy" / "haproxy.cfg"


class HAProxy(Process):
    def __init__(self, directory, replicas, port=0, admin_port=0, name="haproxy", host="127.0.0.1"):
        """`replicas`: three Millrace objects."""
        super().__init__(name, directory)
        self.replicas = list(replicas)
        self.host = host
        self.port = port or free_port()
        self.admin_port = admin_port or free_port()

    @property
    def base(self):
        return f"http://{self.host}:{self.port}"

    def environment(self):
        addresses = {}
        for number, replica in enumerate(self.replicas, 1):
            addresses[f"MILLRACE_{number}"] = f"127.0.0.1:{replica.port}"
            addresses[f"MILLRACE_{number}_ADMIN_PORT"] = str(replica.admin_port)
        return {**os.environ, **addresses, "HAPROXY_LISTEN": f"{self.host}:{self.port}",
                "HAPROXY_ADMIN": f"127.0.0.1:{self.admin_port}"}

    def command(self):
        return ["haproxy", "-db", "-q", "-f", str(CONFIG)]

    def check(self):
        done = subprocess.run(["haproxy", "-c", "-f", str(CONFIG)], env=self.environment(), capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise ServerFailed(done.stdout + done.stderr)

    def ready(self):
        return answers(self.admin_port, "/livez")

    def servers(self):
        """State of each server as HAProxy sees it: {"millrace1": "UP"}."""
        rows = csv.DictReader(request(self.admin_port, "/stats;csv").text.lstrip("# ").splitlines())
        return {row["svname"]: row["status"] for row in rows
                if row["pxname"] == "millrace" and row["svname"].startswith("millrace")}

    def wait_up(self, count=None, timeout_s=20):
        """Until `count` replicas (all) get traffic."""
        count = len(self.replicas) if count is None else count
        wait_until(lambda: sum(state.startswith("UP") for state in self.servers().values()) == count, timeout_s,
                   f"{count} servers are not up in HAProxy", 0.1)

    def request(self, path, method="GET", headers=None, body=None, **options):
        return request(self.port, path, method, headers, body, host=self.host, **options)

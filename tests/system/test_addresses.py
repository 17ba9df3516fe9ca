"""The client's address behind a real HAProxy: PROXY headers, forwarded fields, chains of both, and who is not believed."""
import http.client
import json
import socket
import ssl
import subprocess
import unittest
from pathlib import Path

from harness import SystemTest, main
from test_hardening import make_certificate

from stack import Process, Response, ServerFailed, binary, free_port, wait_until  # noqa: E402

# All of 127.0.0.0/8 is this machine, so that each client and each proxy has an address of its own.
CLIENT, OTHER = "127.0.0.21", "127.0.0.22"
SPEAKS_PROXY, FORWARDS = "127.0.0.3", "127.0.0.4"
LISTENERS = ("v1", "v2", "fields", "parameters", "chain")


class Proxy(Process):
    """One listener for each way to tell who the client is."""

    def __init__(self, directory, server):
        super().__init__("proxies", directory)
        self.ports = {name: free_port() for name in LISTENERS}
        self.admin = free_port()
        self.config = self.directory / "proxies.cfg"
        self.config.write_text(self._config(server))

    def _listen(self, name, mode, server, *lines):
        return "\n  ".join([f"listen {name}", f"bind 127.0.0.1:{self.ports[name]}", f"mode {mode}", *lines, f"server one {server}"])

    def _config(self, server):
        to = f"127.0.0.1:{server.port} source"
        # HTTP/1.0 checks that tell LOCAL, on the API's own port: were they not understood, there would be no server.
        check = "check inter 200ms fall 1 rise 1 check-send-proxy"
        health = ("option httpchk", "http-check send meth GET uri /v1/categories?limit=1 ver HTTP/1.1 hdr Host millrace")
        return "\n".join([
            "global\n  fd-hard-limit 2000",
            "defaults\n  timeout connect 2s\n  timeout client 30s\n  timeout server 30s",
            self._listen("v1", "tcp", f"{to} {SPEAKS_PROXY} send-proxy"),
            self._listen("v2", "tcp", f"{to} {SPEAKS_PROXY} send-proxy-v2 {check}", *health),
            self._listen("fields", "http", f"{to} {FORWARDS}", "option forwardfor"),
            self._listen("parameters", "http", f"{to} {FORWARDS}", "http-request del-header X-Forwarded-For",
                         "http-request add-header Forwarded for=%[src];proto=http"),
            self._listen("chain", "http", f"127.0.0.1:{self.ports['v2']} source {FORWARDS}", "option forwardfor"),
            f"frontend admin\n  mode http\n  bind 127.0.0.1:{self.admin}\n  stats enable\n  stats uri /stats", ""])

    def command(self):
        checked = subprocess.run(["haproxy", "-c", "-q", "-f", str(self.config)], capture_output=True, text=True, check=False)
        if checked.returncode != 0:
            raise ServerFailed(checked.stdout + checked.stderr)
        return ["haproxy", "-db", "-q", "-f", str(self.config)]

    def ready(self):
        try:
            socket.create_connection(("127.0.0.1", self.admin), timeout=1).close()
        except OSError:
            return False
        return True


def ask(port, path, client=CLIENT, headers=(), times=1):
    """The answers to `times` requests on one connection that comes from the address of `client`."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(client, 0))
    try:
        answers = []
        for _ in range(times):
            link.putrequest("GET", path)
            for name, value in headers:
                link.putheader(name, value)
            link.endheaders()
            reply = link.getresponse()
            answers.append(Response(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()))
        return answers
    finally:
        link.close()


class Addresses(SystemTest):
    env = {"MILLRACE_PROXIES_PROTOCOL": SPEAKS_PROXY, "MILLRACE_PROXIES_TRUSTED": f"{FORWARDS}, ::1"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy = Proxy(cls.directory, cls.server)
        cls.proxy.start()
        cls.addClassCleanup(cls.proxy.stop)

    def peers(self, marker):
        """Who asked for paths with this marker, as the access log has it."""
        found = []
        for line in self.server.log_text().splitlines():
            if line.startswith("{") and f"/{marker}" in line:
                entry = json.loads(line)
                if entry.get("event") == "request":
                    found.append(entry["peer"])
        return found

    def assert_peers(self, port, expected, headers=(), client=CLIENT):
        marker = f"mark{self.id().rsplit('.', 1)[1]}{port}{len(headers)}{client.rsplit('.', 1)[1]}"
        for answer in ask(port, f"/v1/{marker}", client, headers, times=2):
            self.assertEqual(answer.status, 404)
        wait_until(lambda: len(self.peers(marker)) == 2, 5, "the requests are not in the log")
        self.assertEqual(set(self.peers(marker)), {expected}, headers)

    def test_both_versions_of_the_header_name_the_client(self):
        for version in ("v1", "v2"):
            self.assert_peers(self.proxy.ports[version], CLIENT)
            self.assert_peers(self.proxy.ports[version], OTHER, client=OTHER)

    def test_a_client_behind_them_cannot_make_up_an_address(self):
        forged = [("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9")]
        for name in LISTENERS:
            self.assert_peers(self.proxy.ports[name], CLIENT, headers=forged)

    def test_fields_of_a_trusted_proxy_name_the_client(self):
        for name in ("fields", "parameters"):
            self.assert_peers(self.proxy.ports[name], CLIENT)
        opened = [("Forwarded", 'for="')]
        self.assert_peers(self.proxy.ports["parameters"], CLIENT, headers=opened)

    def test_a_trusted_proxy_may_stand_before_one_with_the_header(self):
        self.assert_peers(self.proxy.ports["chain"], CLIENT)

    def test_who_is_not_listed_is_never_believed(self):
        forged = [("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9")]
        self.assert_peers(self.server.port, CLIENT, headers=forged)

    def test_who_is_to_send_a_header_and_does_not_is_answered_nothing_and_counted(self):
        refused = 'millrace_http_refused_total{code="proxy"}'
        before = self.server.metrics().get(refused, 0)
        with self.assertRaises((http.client.BadStatusLine, ConnectionError)):
            ask(self.server.port, "/v1/products?limit=1", client=SPEAKS_PROXY)
        wait_until(lambda: self.server.metrics().get(refused, 0) == before + 1, 5, "not counted")

    def test_health_checks_of_a_proxy_are_its_own_requests(self):
        def checks():
            return [json.loads(line) for line in self.server.log_text().splitlines() if '"/v1/categories"' in line]
        wait_until(lambda: len(checks()) > 2, 10, "there are no checks")
        self.assertEqual({check["peer"] for check in checks()}, {SPEAKS_PROXY})
        self.assertEqual({check["status"] for check in checks()}, {200})


class Limited(SystemTest):
    """Each client behind a proxy has a limit of its own."""

    env = {"MILLRACE_PROXIES_PROTOCOL": SPEAKS_PROXY, "MILLRACE_PROXIES_TRUSTED": FORWARDS, "MILLRACE_LIMITS_RATE_PER_S": 1,
           "MILLRACE_LIMITS_RATE_BURST": 5}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy = Proxy(cls.directory, cls.server)
        cls.proxy.start()
        cls.addClassCleanup(cls.proxy.stop)

    def test_clients_behind_one_proxy_do_not_share_a_limit(self):
        for number, name in enumerate(("v1", "fields", "parameters"), 31):
            statuses = [a.status for a in ask(self.proxy.ports[name], "/v1/products?limit=1", f"127.0.0.{number}", times=12)]
            self.assertEqual(statuses[:5], [200] * 5, name)
            self.assertIn(429, statuses, name)
        for number, name in enumerate(("v1", "fields", "parameters"), 41):
            self.assertEqual(ask(self.proxy.ports[name], "/v1/products?limit=1", f"127.0.0.{number}")[0].status, 200, name)


class Encrypted(SystemTest):
    """The header stands before TLS, which the proxy passes on as it comes."""

    @staticmethod
    def config(directory):
        folder = Path(directory)
        cert, key = make_certificate(folder, "server")
        (folder / "v1.json").write_text(json.dumps({"version": "v1", "schema": "shop", "expose": "schema"}))
        (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json"], "tls": {"cert_file": str(cert), "key_file": str(key)},
                                                          "proxies": {"protocol": [SPEAKS_PROXY]}}))
        return folder / "millrace.json"

    def ask(self, header):
        context = ssl.create_default_context(cafile=Path(self.directory) / "server.pem")
        plain = socket.create_connection(("127.0.0.1", self.server.port), timeout=10, source_address=(SPEAKS_PROXY, 0))
        with plain:
            plain.sendall(header)
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as link:
                link.sendall(b"GET /v1/products?id=eq.1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                return b"".join(iter(lambda: link.recv(65536), b"")).decode()

    def test_the_header_stands_before_tls(self):
        self.assertTrue(self.ask(b"PROXY TCP4 203.0.113.9 192.0.2.2 56324 443\r\n").startswith("HTTP/1.1 200"))
        wait_until(lambda: '"peer":"203.0.113.9"' in self.server.log_text(), 5, "the client is not in the log")

    def test_tls_without_the_header_is_refused(self):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.ask(b"")


class Mistakes(unittest.TestCase):
    def test_check_says_which_network_is_none(self):
        for variable, pointer in (("MILLRACE_PROXIES_TRUSTED", "/proxies/trusted/1"), ("MILLRACE_PROXIES_PROTOCOL", "/proxies/protocol/1")):
            done = subprocess.run([str(binary()), "check"], env={"MILLRACE_DATABASE_URL": "postgresql:///none", variable: "::1, 10.0.0.1/8"},
                                  capture_output=True, text=True, check=False, cwd="/tmp")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(f'{pointer}: "10.0.0.1/8" is no network: the one that this address is in begins at 10.0.0.0', done.stderr + done.stdout)


if __name__ == "__main__":
    main()

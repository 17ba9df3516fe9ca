"""What keeps a public server safe: TLS, the admin's token, CORS by route, limits of what may be asked, the audit log."""
import errno
import http.client
import json
import socket
import ssl
import subprocess
from pathlib import Path

from harness import SECRET, SystemTest, main, token, wait_until
from stack import Millrace
from stack.millrace import command

ROUTES = {
    "version": "v1", "schema": "shop", "expose": "listed",
    "resources": {
        "products": {"relation": "products", "methods": ["GET", "POST", "PATCH", "DELETE"]},
        "strict": {"relation": "products", "filter_columns": ["id"], "filter_operators": ["eq", "gt"], "filters_max": 2,
                   "embeds_max": 0},
        "cheap": {"relation": "products", "cost_max": 20},
        "small": {"relation": "products", "answer_bytes_max": 2000},
        "paged": {"relation": "products", "cors_origins": ["https://shop.example"]},
        "categories": {},
    },
}
ADMIN_TOKEN = "an admin's token that nobody guesses"


def shop_config(directory):
    folder = Path(directory)
    (folder / "v1.json").write_text(json.dumps(ROUTES))
    (folder / "millrace.json").write_text(json.dumps({"routes": ["v1.json"]}))
    return folder / "millrace.json"


class Hardening(SystemTest):
    env = {"MILLRACE_AUTH_JWT_SECRET": SECRET, "MILLRACE_AUTH_ADMIN_TOKEN": ADMIN_TOKEN, "MILLRACE_LOG_AUDIT": "true"}
    config = staticmethod(shop_config)

    def test_answers_tell_browsers_to_run_nothing_and_others_nothing_of_us(self):
        for path in ("/v1/products?id=eq.1", "/v1/nothing"):
            headers = self.get(path).headers
            self.assertEqual(headers["x-content-type-options"], "nosniff", path)
            self.assertEqual(headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'", path)
            self.assertNotIn("x-powered-by", headers)
            self.assertEqual(headers["server"], "millrace")

    def test_filters_beyond_what_the_route_allows_are_refused(self):
        self.assertEqual(self.get("/v1/strict?id=gt.1&order=id&limit=1").status, 200)
        for query in ("name=eq.a", "id=in.(1,2)", "order=name", "id=not.like.1", "or=(id.eq.1,name.eq.a)"):
            self.assert_error(self.get("/v1/strict?" + query), 400, "MR033")
        self.assert_error(self.get("/v1/strict?id=gt.1&id=gt.2&id=gt.3"), 400, "MR027")
        self.assert_error(self.get("/v1/strict?select=id,categories(name)"), 400, "MR027")

    def test_a_read_that_would_cost_too_much_is_refused_before_it_runs(self):
        self.assertEqual(self.get("/v1/cheap?id=eq.1").status, 200)
        self.assertEqual(self.get("/v1/cheap?id=eq.2").status, 200)
        for _ in range(2):
            refused = self.get("/v1/cheap?order=name")
            self.assert_error(refused, 400, "MR028")
            self.assertIn("and the route allows 20", refused.json["details"])

    def test_an_answer_that_is_too_long_is_refused(self):
        self.assertEqual(self.get("/v1/small?limit=2").status, 200)
        self.assert_error(self.get("/v1/small"), 413, "MR029")

    def test_pages_may_call_what_the_route_lets_them(self):
        def preflight(path, origin):
            return self.send("OPTIONS", path, Origin=origin, Access_Control_Request_Method="GET")

        allowed = preflight("/v1/paged", "https://shop.example")
        self.assertEqual(allowed.headers["access-control-allow-origin"], "https://shop.example")
        self.assertIn("GET", allowed.headers["access-control-allow-methods"])
        self.assertNotIn("access-control-allow-methods", preflight("/v1/paged", "https://evil.example").headers)
        self.assertEqual(preflight("/v1/products", "https://evil.example").headers["access-control-allow-origin"], "*")
        read = self.get("/v1/paged?id=eq.1", headers={"Origin": "https://evil.example"})
        self.assertNotIn("access-control-allow-origin", read.headers)
        read = self.get("/v1/paged?id=eq.1", headers={"Origin": "https://shop.example"})
        self.assertEqual(read.headers["access-control-allow-origin"], "https://shop.example")

    def test_the_admin_listener_asks_for_its_token(self):
        for path in ("/livez", "/readyz"):
            self.assertEqual(self.server.admin(path).status, 200)
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer " + ADMIN_TOKEN[:-1] + "x"},
                        {"Authorization": ADMIN_TOKEN}):
            for path in ("/metrics", "/config", "/cache"):
                refused = self.server.admin(path, headers=headers)
                self.assert_error(refused, 401, "MR062")
                self.assertEqual(refused.headers["www-authenticate"], "Bearer")
        known = {"Authorization": "Bearer " + ADMIN_TOKEN}
        self.assertEqual(self.server.admin("/metrics", headers=known).status, 200)
        config = self.server.admin("/config", headers=known)
        self.assertNotIn(ADMIN_TOKEN, config.text)
        self.assertEqual(config.json["auth"]["admin_token"], "***")
        done = command(["cache", "stats", "--config", Path(self.directory) / "millrace.json"], env=self.server.settings,
                       capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_writes_and_refusals_are_in_the_audit_log(self):
        someone = {"Authorization": "Bearer " + token(role="shop_nobody", sub="mallory")}
        self.get("/v1/products?id=eq.1", headers={"X-Request-Id": "audit-read"})
        self.send("DELETE", "/v1/products?id=eq.-1", X_Request_Id="audit-write")
        self.get("/v1/products?id=eq.1", headers={**someone, "X-Request-Id": "audit-denied"})

        def lines():
            said = [json.loads(line) for line in self.server.log_text().splitlines() if line.startswith("{")]
            return {line.get("request_id"): line for line in said if line.get("event") == "audit"}

        wait_until(lambda: {"audit-write", "audit-denied"} <= set(lines()), 5, "no audit lines")
        found = lines()
        self.assertNotIn("audit-read", found)
        self.assertEqual((found["audit-write"]["method"], found["audit-write"]["route"]), ("DELETE", "products"))
        self.assertEqual(found["audit-denied"]["subject"], "mallory")
        self.assertIn(found["audit-denied"]["status"], (401, 403))


def make_certificate(folder, name, ca=None, days=1, names="IP:127.0.0.1"):
    """A key and a certificate for these names, signed by itself or by `ca`."""
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(days),
            "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-keyout", str(key), "-out", str(cert)]
    if ca:
        made += ["-CA", str(folder / f"{ca}.pem"), "-CAkey", str(folder / f"{ca}.key")]
    subprocess.run(made, check=True, capture_output=True)
    return cert, key


def ask(port, path, context, method="GET", body=None):
    link = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        link.request(method, path, body=body, headers={"Content-Type": "application/json"} if body else {})
        reply = link.getresponse()
        return reply.status, reply.read()
    finally:
        link.close()


class Encrypted(SystemTest):
    config = staticmethod(shop_config)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(cls.directory)
        for name in ("authority", "stranger"):
            make_certificate(cls.folder, name)
        make_certificate(cls.folder, "server", ca="authority")
        make_certificate(cls.folder, "operator", ca="authority")
        make_certificate(cls.folder, "burglar", ca="stranger")
        cls.settings = {
            "MILLRACE_TLS_CERT_FILE": cls.folder / "server.pem", "MILLRACE_TLS_KEY_FILE": cls.folder / "server.key",
            "MILLRACE_TLS_ADMIN_CERT_FILE": cls.folder / "server.pem", "MILLRACE_TLS_ADMIN_KEY_FILE": cls.folder / "server.key",
            "MILLRACE_TLS_ADMIN_CLIENT_CA_FILE": cls.folder / "authority.pem"}
        url = cls.server.settings["MILLRACE_DATABASE_URL"]
        cls.sealed = Millrace(cls.directory, url, config=cls.folder / "millrace.json", env=cls.settings, name="sealed")
        cls.sealed.ready = lambda: cls.try_ask(cls.sealed.admin_port, "/readyz", cls.context("operator")) == 200
        cls.sealed.start()
        cls.addClassCleanup(cls.sealed.stop)

    @classmethod
    def context(cls, client=None):
        context = ssl.create_default_context(cafile=str(cls.folder / "authority.pem"))
        if client:
            context.load_cert_chain(cls.folder / f"{client}.pem", cls.folder / f"{client}.key")
        return context

    @staticmethod
    def try_ask(port, path, context):
        try:
            return ask(port, path, context)[0]
        except (OSError, http.client.HTTPException):
            return None

    def test_the_api_is_served_encrypted_small_and_large_and_pipelined(self):
        context = self.context()
        self.assertEqual(ask(self.sealed.port, "/v1/products?id=eq.1", context)[0], 200)
        status, body = ask(self.sealed.port, "/v1/products?select=*,categories(*)", context)
        self.assertEqual((status, len(json.loads(body))), (200, 1000))
        large = json.dumps({"name": "x" * 300_000})
        self.assertIn(ask(self.sealed.port, "/v1/products", context, "POST", large)[0], (400, 401, 403))
        with socket.create_connection(("127.0.0.1", self.sealed.port)) as plain, \
                context.wrap_socket(plain, server_hostname="127.0.0.1") as link:
            link.sendall(b"GET /v1/products?id=eq.1 HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
            seen = b""
            while seen.count(b"HTTP/1.1 200") < 20:
                piece = link.recv(65536)
                self.assertTrue(piece, seen[-200:])
                seen += piece

    def test_http_1_1_is_chosen_and_old_protocols_are_refused(self):
        context = self.context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        with socket.create_connection(("127.0.0.1", self.sealed.port)) as plain, \
                context.wrap_socket(plain, server_hostname="127.0.0.1") as link:
            self.assertEqual(link.selected_alpn_protocol(), "http/1.1")
            self.assertIn(link.version(), ("TLSv1.2", "TLSv1.3"))
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("DEFAULT@SECLEVEL=0")
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        self.assertIsNone(self.try_ask(self.sealed.port, "/v1/products?id=eq.1", old))

    def test_who_speaks_no_tls_is_let_go_and_does_no_harm(self):
        for sent in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"a" * 400, b""):
            with socket.create_connection(("127.0.0.1", self.sealed.port), timeout=5) as plain:
                plain.sendall(sent)
                try:
                    plain.shutdown(socket.SHUT_WR)
                    while plain.recv(4096):
                        pass
                except OSError as problem:  # what it had still to read was not wanted
                    self.assertIn(problem.errno, (errno.ECONNRESET, errno.ENOTCONN), problem)
        self.assertEqual(ask(self.sealed.port, "/v1/products?id=eq.1", self.context())[0], 200)

    def test_the_admin_listener_knows_whom_its_authority_vouches_for(self):
        self.assertEqual(self.try_ask(self.sealed.admin_port, "/metrics", self.context("operator")), 200)
        self.assertIsNone(self.try_ask(self.sealed.admin_port, "/metrics", self.context()))
        self.assertIsNone(self.try_ask(self.sealed.admin_port, "/metrics", self.context("burglar")))
        done = command(["health", "--config", self.folder / "millrace.json"], env=self.sealed.environment(), capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_new_certificate_is_taken_up_and_open_connections_stay(self):
        context = self.context()
        open_link = http.client.HTTPSConnection("127.0.0.1", self.sealed.port, timeout=10, context=context)
        open_link.request("GET", "/v1/products?id=eq.1")
        self.assertEqual(open_link.getresponse().read()[:1], b"[")

        def serial():
            with socket.create_connection(("127.0.0.1", self.sealed.port)) as plain, \
                    context.wrap_socket(plain, server_hostname="127.0.0.1") as link:
                return link.getpeercert()["serialNumber"]

        before = serial()
        make_certificate(self.folder, "server", ca="authority")
        self.sealed.signal(1)
        wait_until(lambda: serial() != before, 10, "the old certificate is still shown")
        open_link.request("GET", "/v1/products?id=eq.2")
        self.assertEqual(open_link.getresponse().status, 200)
        open_link.close()

    def test_a_certificate_that_cannot_be_used_is_a_problem_of_the_files(self):
        (self.folder / "broken.pem").write_text("no certificate")
        environment = {**self.sealed.environment(), "MILLRACE_TLS_CERT_FILE": str(self.folder / "broken.pem")}
        done = command(["check", "--offline", "--config", self.folder / "millrace.json"], env=environment, capture_output=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("/tls/cert_file", done.stderr)


if __name__ == "__main__":
    main()

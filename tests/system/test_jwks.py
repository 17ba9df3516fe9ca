"""Keys that are published: read over HTTP and HTTPS, rotated under load, missing, invented."""
import base64
import hashlib
import hmac
import http.server
import json
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from harness import SystemTest, main, wait_until
from stack import Millrace


def encoded(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Signer:
    """An RSA key of openssl's making."""

    def __init__(self, folder, kid):
        self.kid, self.file = kid, Path(folder) / f"{kid}.pem"
        subprocess.run(["openssl", "genrsa", "-out", str(self.file), "2048"], check=True, capture_output=True)
        said = subprocess.run(["openssl", "rsa", "-in", str(self.file), "-noout", "-modulus"], check=True, capture_output=True)
        self.modulus = bytes.fromhex(said.stdout.decode().strip().partition("=")[2])

    @property
    def jwk(self):
        return {"kty": "RSA", "use": "sig", "kid": self.kid, "n": encoded(self.modulus), "e": "AQAB"}

    def token(self, kid=None, **claims):
        text = encoded({"alg": "RS256", "kid": kid or self.kid}) + "." + encoded({"role": "shop_anonymous", **claims})
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(self.file)], input=text.encode(), check=True,
                                   capture_output=True).stdout
        return text + "." + encoded(signature)


class Publisher:
    """Serves a JWKS, counts how often it was asked, and knows by which names."""

    def __init__(self, context=None):
        self.keys, self.asked, self.broken, self.hosts = [], 0, False, set()
        publisher = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                publisher.asked += 1
                publisher.hosts.add(self.headers["Host"])
                body = b"no keys" if publisher.broken else json.dumps({"keys": publisher.keys}).encode()
                self.send_response(500 if publisher.broken else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Jwks(SystemTest):
    replicas = 2

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="millrace-test-")
        cls.addClassCleanup(lambda: subprocess.run(["rm", "-rf", folder], check=False))
        cls.signers = [Signer(folder, kid) for kid in ("first", "second", "third")]
        cls.publisher = Publisher()
        cls.addClassCleanup(cls.publisher.stop)
        cls.publisher.keys = [cls.signers[0].jwk, {"kty": "oct", "kid": "secret", "k": encoded(b"s" * 32)}]
        cls.env = {"MILLRACE_AUTH_JWKS_URL": f"http://127.0.0.1:{cls.publisher.port}/jwks", "MILLRACE_AUTH_JWKS_REFRESH_MS": 1000}
        super().setUpClass()

    def setUp(self):
        self.publisher.broken = False
        self.publisher.keys = [self.signers[0].jwk]
        for replica in range(self.replicas):
            wait_until(lambda: self.ask(self.signers[0].token(), replica).status == 200, 10, "the key is not read")

    def ask(self, token, replica=0):
        return self.cluster.replicas[replica].request("/v1/products?id=eq.1", headers={"Authorization": "Bearer " + token})

    def test_tokens_of_published_keys_are_taken_and_others_are_not(self):
        first, stranger = self.signers[0], self.signers[2]
        self.assertEqual(self.ask(first.token()).status, 200)
        self.assertEqual(self.publisher.hosts, {f"127.0.0.1:{self.publisher.port}"})
        self.assert_error(self.ask(stranger.token(kid="first")), 401, "PGRST301")
        self.assert_error(self.ask(encoded({"alg": "none"}) + "." + encoded({"role": "shop_anonymous"}) + "."), 401, "PGRST301")
        for kid, secret in (("first", first.modulus), ("secret", b"s" * 32)):
            text = encoded({"alg": "HS256", "kid": kid}) + "." + encoded({"role": "shop_anonymous"})
            forged = text + "." + encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())
            self.assert_error(self.ask(forged), 401, "PGRST301")

    def test_keys_are_rotated_without_a_failed_request(self):
        first, second = self.signers[:2]
        time.sleep(5)  # after whatever asked for a reading before
        failures, asked, over = [], [0], threading.Event()
        present = [first.token()]

        def client(replica):
            while not over.is_set():
                answer = self.ask(present[0], replica)
                asked[0] += 1
                if answer.status != 200:
                    failures.append(answer.text)

        threads = [threading.Thread(target=client, args=(number % 2,)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.3)
            self.publisher.keys = [first.jwk, second.jwk]
            present[0] = second.token()  # at once: nobody has read the new key yet
            time.sleep(1.5)
            self.publisher.keys = [second.jwk]
            time.sleep(2)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(asked[0], 50)
        wait_until(lambda: self.ask(first.token(jti="new")).status == 401, 5, "a key that is published no more is still taken")

    def test_invented_key_ids_do_not_flood_the_publisher(self):
        token = self.signers[2].token
        tokens = [token(kid=f"invented-{number}") for number in range(20)]
        before, began = self.publisher.asked, time.monotonic()
        for number in range(60):
            self.assertEqual(self.ask(tokens[number % 20], number % 2).status, 401)
        took = time.monotonic() - began
        # Two replicas read once a second by themselves, and once in five seconds because somebody asks.
        self.assertLessEqual(self.publisher.asked - before, 2 * (took + 1) + 2 * (took / 5 + 1))

    def test_what_is_known_stays_while_the_publisher_is_broken(self):
        self.assertEqual(self.ask(self.signers[0].token()).status, 200)
        self.publisher.broken = True
        asked = self.publisher.asked
        wait_until(lambda: self.publisher.asked > asked + 2, 10, "nobody asks")
        self.assertEqual(self.ask(self.signers[0].token(jti="later")).status, 200)
        self.assertIn("reload", self.server.log_text())


class Encrypted(SystemTest):
    """Over HTTPS, from a publisher whose authority is trusted; and nothing from one whose is not."""

    env = {}

    @classmethod
    def setUpClass(cls):
        folder = Path(tempfile.mkdtemp(prefix="millrace-test-"))
        cls.addClassCleanup(lambda: subprocess.run(["rm", "-rf", str(folder)], check=False))
        cls.signer = Signer(folder, "first")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / "tls.key"),
                        "-out", str(folder / "tls.pem")], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.pem", folder / "tls.key")
        cls.publisher = Publisher(context)
        cls.addClassCleanup(cls.publisher.stop)
        cls.publisher.keys = [cls.signer.jwk]
        cls.env = {"MILLRACE_AUTH_JWKS_URL": f"https://localhost:{cls.publisher.port}/jwks", "SSL_CERT_FILE": str(folder / "tls.pem"),
                   "MILLRACE_AUTH_JWT_ALGORITHMS": "RS256"}
        super().setUpClass()

    def ask(self, server):
        return server.request("/v1/products?id=eq.1", headers={"Authorization": "Bearer " + self.signer.token()})

    def test_a_publisher_is_trusted_for_its_certificate_and_its_name(self):
        self.assertEqual(self.ask(self.server).status, 200)
        url, port = self.server.settings["MILLRACE_DATABASE_URL"], self.publisher.port
        for number, other in enumerate(({**self.env, "MILLRACE_AUTH_JWKS_URL": f"https://127.0.0.1:{port}/jwks"},
                                        {**self.env, "SSL_CERT_FILE": "/dev/null"})):
            with Millrace(self.directory, url, env=other, name=f"distrustful-{number}") as server:
                self.assert_error(self.ask(server), 503, "MR061")

    def test_algorithms_that_are_not_listed_are_refused(self):
        with Millrace(self.directory, self.server.settings["MILLRACE_DATABASE_URL"], name="choosy",
                      env={**self.env, "MILLRACE_AUTH_JWT_ALGORITHMS": "ES256"}) as server:
            refused = server.request("/v1/products?id=eq.1", headers={"Authorization": "Bearer " + self.signer.token()})
            self.assert_error(refused, 401, "PGRST301")


if __name__ == "__main__":
    main()

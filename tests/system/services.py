"""HTTP services that the tests put behind routes: each tells what it was asked, and misbehaves when it is told to."""
import json
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BIG = 100 * 1024 * 1024
PIECE = bytes(range(256)) * 256


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, socket.timeout, ssl.SSLError):
            self.close_connection = True

    def log_message(self, *_):
        pass

    def _answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        headers = {}
        for name, value in self.headers.items():
            headers[name.lower()] = ", ".join([headers[name.lower()], value]) if name.lower() in headers else value
        asked = {"service": self.server.service.name, "method": self.command, "target": self.path, "headers": headers,
                 "body": body.decode(errors="replace")}
        self.server.service.note(asked, self.connection)
        what = url.path.rsplit("/", 1)[-1]
        action = getattr(self, "on_" + what, None)
        return action(query, asked) if action else self.on_echo(query, asked)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    def reply(self, status, body=b"", headers=()):
        self.send_response(status)
        names = [name.lower() for name, _ in headers]
        if "content-length" not in names and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def on_echo(self, query, asked):
        time.sleep(int(query.get("ms", 0)) / 1000)
        if self.server.service.status != 200:
            return self.reply(self.server.service.status, b"down")
        self.reply(int(query.get("status", 200)), json.dumps(asked).encode(), [("Content-Type", "application/json")])

    def on_fields(self, query, asked):
        self.reply(200, b"x", [("Connection", "X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"), ("X-Powered-By", "y"),
                               ("X-Kept", "z"), ("Set-Cookie", "a=b"), ("Set-Cookie", "c=d"), ("Cache-Control", "no-store"),
                               ("X-Request-Id", "theirs")])

    def on_big(self, query, asked):
        chunked = "chunked" in query
        self.send_response(200)
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(BIG))))
        self.end_headers()
        for _ in range(BIG // len(PIECE)):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if chunked else PIECE)
            self.server.service.sent += len(PIECE)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def on_drip(self, query, asked):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(int(query.get("events", 3))):
            event = b"data: %d\n\n" % number
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
            self.server.service.go_on.wait(5)
            self.server.service.go_on.clear()
        self.wfile.write(b"0\r\n\r\n")

    def on_hang(self, query, asked):
        self.server.service.hanging += 1
        self.connection.settimeout(20)
        try:
            self.connection.recv(1)  # nothing is sent: this ends when the other side closes
        except (TimeoutError, OSError):
            pass
        self.server.service.hanging -= 1
        self.close_connection = True

    def on_raw(self, query, asked):
        self.wfile.write(self.server.service.raw)
        self.close_connection = True

    def on_kept(self, query, asked):
        """What its caching fields are is in the service; each answer has another number."""
        service = self.server.service
        service.count += 1
        if service.status != 200:
            return self.reply(service.status, b"down")
        etag = service.etag
        if etag and self.headers.get("If-None-Match") == etag:
            return self.reply(304, b"", [("ETag", etag), *service.fields])
        shown = {"number": service.count, "language": self.headers.get("Accept-Language")}
        self.reply(int(query.get("status", 200)), json.dumps(shown).encode(), [*([("ETag", etag)] if etag else []), *service.fields])


class Service:
    """`tls`: a certificate and its key, for a service that speaks TLS."""

    def __init__(self, name="service", port=0, tls=None):
        self.name, self.port, self.server, self.tls = name, port, None, tls
        self.names = []  # that TLS was asked for
        self.asked, self.connections = [], set()
        self.status, self.raw, self.fields, self.etag = 200, b"", [], None
        self.hangs = False
        self.count = self.sent = self.hanging = 0
        self.go_on = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def note(self, asked, connection):
        with self.lock:
            self.asked.append(asked)
            self.connections.add(connection)
        while self.hangs:
            time.sleep(0.02)

    def start(self):
        ThreadingHTTPServer.request_queue_size = 128
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), _Handler)
        self.server.daemon_threads = True
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            context.sni_callback = lambda _, name, __: self.names.append(name)
            # The handshake is the connection's own thread's: one that never ends holds nobody up.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.server.service = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        if self.server is None:
            return
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.connections.clear()
        self.server = None

"""A service that tells what bodies it was sent, and reads them as slowly as it is told to, or not at all."""
import hashlib
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

READ_BYTES = 64 * 1024


class Upload:
    """One request as it came: `whole` tells how its body ended, once `over`."""

    def __init__(self, method, target, headers):
        self.method, self.target, self.headers = method, target, headers
        self.size, self.digest, self.whole = 0, hashlib.sha256(), None
        self.over = threading.Event()

    @property
    def framing(self):
        return "chunked" if self.headers.get("Transfer-Encoding") else self.headers.get("Content-Length")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do(self):
        service, url = self.server.service, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        upload = Upload(self.command, self.path, self.headers)
        service.uploads.append(upload)
        action = getattr(self, "on_" + url.path.rsplit("/", 1)[-1], self.on_take)
        try:
            action(upload, query)
        except (OSError, ValueError):
            upload.whole = False
            self.close_connection = True
        upload.over.set()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do

    def pieces(self, upload):
        """The body's, as they come. ValueError: it is incomplete, or not framed in one way."""
        if ("Transfer-Encoding" in self.headers) == ("Content-Length" in self.headers):
            if "Transfer-Encoding" in self.headers or self.command != "GET":
                raise ValueError("framing")
            return
        if "Content-Length" in self.headers:
            yield from self.exactly(int(self.headers["Content-Length"]))
            return
        while size := int(self.rfile.readline().rstrip(b"\r\n"), 16):
            yield from self.exactly(size)
            if self.rfile.readline() != b"\r\n":
                raise ValueError("chunk")
        if self.rfile.readline() != b"\r\n":
            raise ValueError("trailer")

    def exactly(self, size):
        while size:
            piece = self.rfile.read1(min(size, READ_BYTES))
            if not piece:
                raise ValueError("incomplete")
            size -= len(piece)
            yield piece

    def take(self, upload, limit=None):
        for piece in self.pieces(upload):
            upload.digest.update(piece)
            upload.size += len(piece)
            if limit is not None and upload.size >= limit:
                return
        upload.whole = True

    def say(self, status, body=b"{}", *fields):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def on_take(self, upload, query):
        self.take(upload)
        told = {"service": self.server.service.name, "size": upload.size, "digest": upload.digest.hexdigest(),
                "framing": upload.framing, "method": upload.method}
        self.say(200, json.dumps(told).encode())

    def on_wait(self, upload, query):
        """Reads nothing until it is let go on."""
        self.server.service.go_on.wait(20)
        self.on_take(upload, query)

    def on_interim(self, upload, query):
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        self.on_take(upload, query)

    def on_early(self, upload, query):
        """Answers after a part of the body, and then sees the connection end without having read the rest."""
        self.take(upload, int(query["after"]))
        self.say(int(query["status"]), b'{"early": true}')
        if "closes" not in query:
            self.server.service.ended_after = self.bytes_to_end()
        self.close_connection = True

    def on_drop(self, upload, query):
        """Closes the connection amid the body."""
        self.take(upload, int(query["after"]))
        self.close_connection = True

    def bytes_to_end(self):
        count = 0
        self.connection.settimeout(10)
        try:
            while piece := self.rfile.read1(READ_BYTES):
                count += len(piece)
        except ConnectionError:
            pass
        return count

    def on_refuse(self, upload, query):
        """Closes the connection without a word, as soon as the head was there."""
        self.close_connection = True


class Receiver:
    """`tls`: a certificate and its key, for a service that speaks TLS."""

    def __init__(self, name="receiver", tls=None):
        self.name, self.tls, self.uploads, self.sockets = name, tls, [], []
        self.go_on, self.ended_after = threading.Event(), None
        self.server = None

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"

    @property
    def last(self):
        return self.uploads[-1]

    def start(self):
        receiver = self

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self):
                link, address = super().get_request()
                receiver.sockets.append(link)
                return link, address

        self.server = Server(("127.0.0.1", 0), _Handler)
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.server.service = self
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Sender:
    """A client's connection, byte by byte as the test wants it."""

    def __init__(self, port, tls=None, timeout_s=20):
        self.link = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.link = tls.wrap_socket(self.link, server_hostname="127.0.0.1")
        self.file = self.link.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.link.close()

    def head(self, path, *fields, method="PUT", version="1.1"):
        self.send(b"".join(line.encode() + b"\r\n" for line in (f"{method} {path} HTTP/{version}", "Host: a", *fields, "")))

    def send(self, data):
        self.link.sendall(data)

    def chunk(self, data):
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def answer(self):
        """Status, fields in lower case, body; a status of None: the connection ended without an answer."""
        line = self.file.readline()
        if not line:
            return None, {}, b""
        fields = {}
        while (field := self.file.readline().rstrip(b"\r\n")):
            name, _, value = field.decode().partition(":")
            fields[name.lower()] = value.strip()
        status = int(line.split()[1])
        body = b"" if status < 200 else self.file.read(int(fields.get("content-length", 0)))
        return status, fields, body

    def ended(self):
        try:
            return self.file.read(1) == b""
        except ConnectionError:
            return True

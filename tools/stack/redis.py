"""A private Redis on a loopback port and a unix socket, in memory only."""
import socket

from .ports import free_port
from .process import Process


class Redis(Process):
    def __init__(self, directory, port=0, name="redis", options=()):
        """`options`: more arguments of redis-server."""
        super().__init__(name, directory)
        self.options = list(options)
        self.port = port or free_port()
        socket_path = self.directory / f"{name}.sock"
        self.socket = socket_path if len(str(socket_path)) < 100 else None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    @property
    def socket_url(self):
        return f"unix://{self.socket}" if self.socket else self.url

    def command(self):
        sockets = ["--unixsocket", str(self.socket)] if self.socket else []
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory), "--save", "",
                "--appendonly", "no", "--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru", *sockets, *self.options]

    def ready(self):
        try:
            return self.call("PING") == "+PONG"
        except OSError:
            return False

    def call(self, *arguments):
        """One command; the reply's first line as it came ("+PONG", ":3"), or the text of a bulk string."""
        words = [str(argument).encode() for argument in arguments]
        request = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as link, link.makefile("rb") as reply:
            link.sendall(request)
            line = reply.readline().decode().rstrip("\r\n")
            if line.startswith("$") and line != "$-1":
                return reply.read(int(line[1:])).decode(errors="replace")
            return line

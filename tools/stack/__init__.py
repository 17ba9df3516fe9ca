"""Private servers for `make run`, `make demo-cluster`, the benchmark and the system tests. Standard library only.

    sys.path.insert(0, ".../tools")
    from stack import Cluster, Postgres, Redis, Millrace, HAProxy, wait_until, request, load
"""
from . import demo
from .cluster import Cluster, migrate
from .foreground import Foreground, listen_address
from .haproxy import HAProxy
from .http import Response, answers, metrics, request
from .millrace import Millrace, binary, command
from .nginx import Nginx, NginxCache
from .ports import RememberedPorts, free_port
from .postgres import Postgres
from .process import ROOT, Process, ServerFailed, cpu_seconds, descendants, wait_until
from .redis import Redis
from .varnish import Varnish
from .wrk import Load, Wrk, load

__all__ = ["Cluster", "Foreground", "HAProxy", "Load", "Millrace", "Nginx", "NginxCache", "Postgres", "Process", "ROOT", "Redis", "RememberedPorts",
           "Response", "ServerFailed", "Varnish", "Wrk", "answers", "binary", "command", "cpu_seconds", "demo", "descendants", "free_port",
           "listen_address", "load", "metrics", "migrate", "request", "wait_until"]

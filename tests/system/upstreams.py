"""A process whose routes are HTTP services: what the tests of such routes have in common."""
import json
from pathlib import Path

from harness import SECRET, SystemTest
from services import Service


def route(urls, **more):
    policies = {key: more.pop(key) for key in ("cache", "methods", "body_bytes_max") if key in more}
    return {"upstream": {"urls": urls, **more}, **policies}


class Upstreams(SystemTest):
    """`routes()` of a class gives what its route table says; services start before the processes do."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.services = []
        cls.addClassCleanup(lambda: [service.stop() for service in cls.services])
        resources = cls.routes()

        def config(directory):
            path = Path(directory) / "config"
            path.mkdir()
            (path / "v1.json").write_text(json.dumps({"version": "v1", "schema": "shop", "expose": "schema",
                                                      "resources": resources}))
            (path / "millrace.json").write_text(json.dumps({"routes": ["v1.json"], "auth": {"jwt_secret": SECRET}, **cls.settings}))
            return path / "millrace.json"

        cls.config = staticmethod(config)
        super().setUpClass()

    @classmethod
    def service(cls, name="service", **options):
        made = Service(name, **options).start()
        cls.services.append(made)
        return made

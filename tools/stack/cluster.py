"""The whole topology as local processes: Postgres with the demo shop, Redis, replicas, HAProxy."""
from pathlib import Path

from . import demo
from .haproxy import HAProxy
from .millrace import CONFIG, Millrace, command
from .ports import free_port
from .postgres import Postgres
from .redis import Redis


def migrate(postgres, database=demo.DATABASE, config=CONFIG, quiet=True, decoding=False):
    """Installs the invalidation triggers, or what decoding needs, as the database's owner."""
    url = postgres.url(database)
    done = command(["migrate", *(["--decoding"] if decoding else []), "--config", config, "--database-url", url, "--grant-to", demo.ROLE],
                   env={"MILLRACE_DATABASE_URL": url},
                   capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"millrace migrate failed:\n{done.stdout}{done.stderr}")
    if not quiet and done.stdout:
        print(done.stdout, end="", flush=True)


class Cluster:
    """with Cluster(directory, products=1000) as cluster: cluster.balancer.request("/v1/products")"""

    def __init__(self, directory, replicas=3, products=100_000, balanced=True, env=None, config=CONFIG, ports=None, durable=False,
                 decoding=False, redis=True):
        """`ports` (RememberedPorts), when given, says which port a server gets; `env` holds MILLRACE_… of every replica.
        HAProxy's file names three replicas, so with another number of them there is no balancer. `decoding`: no triggers, a slot."""
        directory = Path(directory)
        pick = ports.get if ports else lambda name: free_port()
        self.name, self.products, self.config = "cluster", products, config
        self.decoding = decoding
        wal = {"wal_level": "logical", "max_prepared_transactions": 2} if decoding else {}
        self.postgres = Postgres(directory, pick("postgres"), wal, durable=durable)
        self.redis = Redis(directory, pick("redis"))
        balanced = balanced and replicas == 3
        # Readiness fails for longer than HAProxy needs to see it twice, so nothing new arrives when the sockets close.
        settings = {"MILLRACE_WORKERS": 1, "MILLRACE_DRAIN_PAUSE_MS": 1500 if balanced else 0, **(env or {})}
        self.replicas = [
            Millrace(directory, self.postgres.url(demo.DATABASE, demo.ROLE), self.redis.url if redis else "", pick(name), pick(f"{name}-admin"),
                     config, settings, name)
            for name in (f"millrace{number}" for number in range(1, replicas + 1))]
        self.balancer = HAProxy(directory, self.replicas, pick("haproxy"), pick("haproxy-admin")) if balanced else None

    def start(self, quiet=True):
        try:
            return self._start(quiet)
        except BaseException:
            self.stop()
            raise

    def _start(self, quiet):
        self.redis.start(wait=False)
        self.postgres.start()
        self.redis.wait_ready()
        demo.ensure(self.postgres, products=self.products, quiet=quiet)
        if self.decoding:
            self.postgres.sql(f"alter role {demo.ROLE} replication")
        migrate(self.postgres, config=self.config, decoding=self.decoding)
        for replica in self.replicas:
            replica.start(wait=False)
        for replica in self.replicas:
            replica.wait_ready()
        if self.balancer:
            self.balancer.start()
            self.balancer.wait_up()
        return self

    def parts(self):
        """In the order in which they stop."""
        return [*([self.balancer] if self.balancer else []), *self.replicas, self.redis, self.postgres]

    def stop(self):
        """Stops all, in order; exit codes by name."""
        started = [part for part in self.parts() if part.process is not None]
        for replica in self.replicas:
            replica.ask_to_stop()
        return {part.name: part.stop() for part in started}

    @property
    def running(self):
        return all(part.running for part in self.parts())

    def log_tail(self):
        return "\n".join(f"{part.name}: {part.log_tail(10)}" for part in self.parts() if not part.running)

    def rolling_restart(self):
        """One replica after the other, as a rollout does; their exit codes."""
        codes = []
        for replica in self.replicas:
            codes.append(replica.restart())
            if self.balancer:
                self.balancer.wait_up()
        return codes

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

"""More than one Redis: a cluster, and a master with its replica and the sentinel that watches them."""
from .ports import free_port
from .process import wait_until
from .redis import Redis

SLOTS = 16_384


class Sentinel(Redis):
    def __init__(self, directory, port=0, name="sentinel"):
        super().__init__(directory, port, name)
        self.file = self.directory / f"{name}.conf"

    def command(self):
        self.file.touch()  # it keeps there what it learns, and refuses to run without it
        return ["redis-server", str(self.file), "--sentinel", "--port", str(self.port), "--bind", "127.0.0.1", "--dir",
                str(self.directory)]


class Group:
    """with RedisCluster(directory) as redis: redis.url"""

    def __init__(self, servers):
        self.servers = servers

    def start(self):
        try:
            for server in self.servers:
                server.start()
            self.join()
            return self
        except BaseException:
            self.stop()
            raise

    def join(self):
        raise NotImplementedError

    def stop(self):
        for server in self.servers:
            server.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class RedisWatched(Group):
    """A master, its replica, and a sentinel that calls the master dead after a second."""

    service = "cache"

    def __init__(self, directory):
        self.master = Redis(directory, name="redis-master")
        self.replica = Redis(directory, name="redis-replica", options=["--replicaof", f"127.0.0.1 {self.master.port}"])
        self.sentinel = Sentinel(directory)
        super().__init__([self.master, self.replica, self.sentinel])

    @property
    def url(self):
        return f"redis+sentinel://127.0.0.1:{self.sentinel.port}/{self.service}"

    def join(self):
        wait_until(lambda: "master_link_status:up" in self.replica.call("INFO", "replication"), 30, "the replica has no master")
        self.sentinel.call("SENTINEL", "MONITOR", self.service, "127.0.0.1", self.master.port, 1)
        self.sentinel.call("SENTINEL", "SET", self.service, "down-after-milliseconds", 1000, "failover-timeout", 5000)
        wait_until(lambda: "slaves=1," in self.sentinel.call("INFO", "sentinel"), 30, "the sentinel sees no replica")


class RedisCluster(Group):
    """Masters that share the slots evenly; a part goes on when another is gone."""

    def __init__(self, directory, masters=3):
        self.buses = [free_port() for _ in range(masters)]
        super().__init__([
            Redis(directory, name=f"redis{number}", options=[
                "--cluster-enabled", "yes", "--cluster-config-file", f"redis{number}.nodes", "--cluster-port", str(bus),
                "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no"])
            for number, bus in enumerate(self.buses, 1)])

    @property
    def url(self):
        return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers)

    def join(self):
        count = len(self.servers)
        for number, server in enumerate(self.servers):
            server.call("CLUSTER", "ADDSLOTSRANGE", SLOTS * number // count, SLOTS * (number + 1) // count - 1)
            server.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for server, bus in zip(self.servers[1:], self.buses[1:]):
            self.servers[0].call("CLUSTER", "MEET", "127.0.0.1", server.port, bus)
        wait_until(lambda: all(self.whole(server) for server in self.servers), 30, "the cluster is not whole")

    def whole(self, server):
        info = server.call("CLUSTER", "INFO")
        return all(words in info for words in ("cluster_state:ok", f"cluster_slots_ok:{SLOTS}",
                                               f"cluster_known_nodes:{len(self.servers)}"))

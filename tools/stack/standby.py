"""A hot standby of a private Postgres: made by pg_basebackup, fed by streaming; its replay can be held back."""
from .postgres import Postgres
from .process import ServerFailed, wait_until


class Standby(Postgres):
    def __init__(self, primary, directory, port=0, settings=None, name="standby"):
        """The primary must run when this starts for the first time."""
        super().__init__(directory, port, {**primary.settings, **(settings or {})}, durable=True, name=name)
        self.primary = primary

    def filling(self):
        return ["pg_basebackup", "-h", "127.0.0.1", "-p", self.primary.port, "-U", "postgres", "--write-recovery-conf",
                "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-manifest"]

    def pause_replay(self):
        """From here on the standby shows the past; what the primary sends is kept."""
        self.sql("select pg_wal_replay_pause()")
        wait_until(lambda: self.sql("select pg_get_wal_replay_pause_state()") == "paused", 10, "the replay does not pause")

    def resume_replay(self):
        self.sql("select pg_wal_replay_resume()")

    def catch_up(self, timeout_s=20):
        """Waits until everything that the primary has written so far is replayed here."""
        here = self.primary.sql("select pg_current_wal_insert_lsn()")
        wait_until(lambda: self.sql(f"select pg_last_wal_replay_lsn() >= '{here}'::pg_lsn") == "t", timeout_s,
                   f"{self.name} does not catch up with {self.primary.name}")

    def promote(self):
        """Makes it a primary of the next timeline."""
        if self.sql("select pg_promote(true, 60)") != "t":
            raise ServerFailed(f"{self.name} was not promoted:\n{self.log_tail()}")

"""Judges what writers and readers of one run have recorded: does every answer keep the promises of docs/cache.md?

Times are seconds of the monotonic clock. Values of a row only rise, so "older" can be told by looking at them. A write counts
from its acknowledgement, a read from when it was sent: whoever has heard that a write is done may expect to see it, `bound_s`
later at the latest.
"""
import bisect
from collections import defaultdict
from dataclasses import dataclass, field

NEVER = float("inf")
ANY_REPLICA = -1


@dataclass
class Write:
    row: str
    value: int
    begun: float
    acknowledged: float = NEVER  # NEVER: its outcome is not known
    token: str = ""
    how: str = ""
    lost_at: float = NEVER  # a failover has forgotten it, and is over: from then on nobody may see it


@dataclass
class Read:
    row: str
    value: int
    sent: float
    received: float
    via: str           # the replica, or the balancer
    session: int = 0   # of the replica: another one after a restart; ANY_REPLICA: it is not known whose
    path: str = ""     # what was asked: answers of one path are of one entry
    status: str = ""   # Cache-Status
    age: int = -1      # of what came from a cache
    token_value: int = 0  # at least this much, because its token was sent

    @property
    def hit(self):
        return "hit" in self.status

    @property
    def read_for_itself(self):
        """The database was asked after it was sent: it neither came from a cache nor shared a read that was under way."""
        return not any(word in self.status for word in ("hit", "collapsed", "stale"))


@dataclass
class Violation:
    rule: str
    read: Read
    expected: int

    def __str__(self):
        r = self.read
        return f"{self.rule}: {r.row} is {r.value}, must be {self.expected} or newer: {r}"


@dataclass
class Verdict:
    violations: list = field(default_factory=list)
    reads: int = 0
    hits: int = 0
    staleness_s: list = field(default_factory=list)  # of hits that missed something: for how long it had been acknowledged

    def count(self, rule):
        return sum(violation.rule == rule for violation in self.violations)


class _Row:
    """What was to be seen of a row at a moment."""

    def __init__(self, writes):
        self.writes = {write.value: write for write in writes}
        done = sorted((w for w in writes if w.acknowledged != NEVER and w.lost_at == NEVER), key=lambda w: w.acknowledged)
        self.times, self.newest = [], []
        for write in done:
            self.times.append(write.acknowledged)
            self.newest.append(max(write.value, self.newest[-1] if self.newest else 0))

    def at(self, moment):
        """The newest value that was acknowledged by then."""
        place = bisect.bisect_right(self.times, moment)
        return self.newest[place - 1] if place else 0

    def superseded_at(self, value):
        """When a newer value was acknowledged."""
        place = bisect.bisect_right(self.newest, value)
        return self.times[place] if place < len(self.times) else NEVER


def judge(writes, reads, bound_s):
    by_row = defaultdict(list)
    for write in writes:
        by_row[write.row].append(write)
    rows = {row: _Row(of_row) for row, of_row in by_row.items()}
    verdict = Verdict(reads=len(reads), hits=sum(read.hit for read in reads))
    for read in reads:
        row = rows.get(read.row) or _Row([])
        verdict.violations += _judge_one(row, read, bound_s)
        stale = read.sent - row.superseded_at(read.value)
        if read.hit and stale > 0:
            verdict.staleness_s.append(stale)
    verdict.violations += _steps_back([read for read in reads if not _lost(rows.get(read.row), read.value)])
    return verdict


def _judge_one(row, read, bound_s):
    write = row.writes.get(read.value)
    if read.value and (write is None or write.begun > read.received):
        yield Violation("nobody wrote that", read, 0)
    if write is not None and read.sent > write.lost_at + bound_s:
        yield Violation("a lost write is seen", read, 0)
    own = row.writes.get(read.token_value)
    own_value = read.token_value if own is None or own.lost_at == NEVER else 0
    for rule, expected in (("stale", row.at(read.sent - bound_s)),
                           ("own write not seen", own_value),
                           ("Age is too low", row.at(read.sent - read.age - 1) if read.age >= 0 else 0),
                           ("the database was asked", row.at(read.sent) if read.read_for_itself else 0)):
        if read.value < expected:
            yield Violation(rule, read, expected)


def _lost(row, value):
    write = row.writes.get(value) if row else None
    return write is not None and write.lost_at != NEVER


def _steps_back(reads):
    """Of one path of one replica: who was answered first must not have seen more than who asked after that."""
    streams = defaultdict(list)
    for read in reads:
        if read.session != ANY_REPLICA:
            streams[read.via, read.session, read.path, read.row].append(read)
    for stream in streams.values():
        answered = sorted(stream, key=lambda read: read.received)
        newest, place = 0, 0
        for read in sorted(stream, key=lambda read: read.sent):
            while answered[place].received < read.sent:
                newest = max(newest, answered[place].value)
                place += 1
            if read.value < newest:
                yield Violation("a step back", read, newest)

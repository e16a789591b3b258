"""The one versioned status of a run: what ``snapshot()``, ``sk status`` and reports show.

As JSON it is ``msgspec.json.encode(status)``; a reader refuses an unknown ``version``.
"""

from __future__ import annotations

import msgspec

from sk_kernel._measure.totals import Histogram, Totals
from sk_kernel._replies.facts import ReplyCounters
from sk_kernel._trace.span_accounts import SpanAccount

STATUS_VERSION = 1
"""The version of what a `RunStatus` holds; it grows when a reader must know of a change."""


class WorkerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One worker, in its latest incarnation.

    ``records_in`` were handed to its nodes, ``records_out`` passed on by them: by this incarnation.
    ``source_records`` is its place in the source's input: it has done its part of so many records
    of the source, whether they came to it or not.
    ``pid`` is the supervisor's number for it and ``os_pid`` the operating system's (None on an
    engine without processes). Ages are seconds, as of the snapshot; None before there was anything
    to age; that of progress is the time since it last got on. ``waiting`` counts the batches that
    it has and is not done with; it is ``stuck`` when it stands still before them for longer than
    its group allows. ``dead_lettered`` and ``skipped`` count the records that its nodes gave up.
    ``rss_bytes`` is its resident memory, None where that cannot be read. ``category`` is that of
    its failure, ``last_failure`` a line on that of the incarnation whose place it has taken.
    ``ended`` says how its process ended (``exit code 1``, ``signal SIGKILL``), ``rung`` how far
    down the stop ladder it took; both are empty, or ``none``, while it runs. ``totals`` are those
    of all incarnations that were in its place: they never fall. ``credit`` is how many batches its
    source may read before one is done with; None where it has no source. ``requests`` counts the
    requests whose records it has run.
    """

    worker_id: str
    pid: int
    os_pid: int | None
    alive: bool
    ready: bool
    state: str
    index: int = 0
    incarnation: int = 1
    records_in: int = 0
    records_out: int = 0
    batches: int = 0
    dead_lettered: int = 0
    skipped: int = 0
    waiting: int = 0
    stuck: bool = False
    heard_age_seconds: float | None = None
    progress_age_seconds: float | None = None
    age_seconds: float | None = None
    rss_bytes: int | None = None
    category: str = ""
    last_failure: str = ""
    ended: str = ""
    rung: str = "none"
    totals: Totals = Totals()
    credit: int | None = None
    requests: int = 0
    source_records: int = 0


class GroupStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One process group: its state, how often its workers were restarted, and its workers."""

    name: str
    state: str
    restarts: int = 0
    workers: tuple[WorkerStatus, ...] = ()


class RunStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is now.

    ``ready`` is the answer to a readiness probe: the gate is open and no stop was asked for.
    ``started`` is that to a startup probe: every group was ready once, and was told to work.
    ``records_in`` are those that the source has given, ``records_out`` those that the sink has
    taken, as their groups last said.
    ``stop_reasons`` are those of the requests to stop that changed anything, in order (``SIGTERM``,
    ``sk stop``): the first one, and the first that was to end the run by force, which
    ``stop_forced`` says has come.
    ``refusals`` counts what was refused, by ``plane.category`` (``data.replay``,
    ``control.signature``). ``spans`` says what has become of the spans so far, for each process
    that traces, those that have ended among them. ``requests`` says what became of the callers'
    requests, and ``request_seconds`` how long they took until they had an outcome, by its status
    (``success``, ``error``, ``timeout``, ``cancelled``). ``health`` has the addresses at which
    probes are answered, by ``http`` and ``grpc``, with the port that was taken for port 0.
    """

    run_id: str
    scenario: str
    profile: str
    state: str
    ready: bool
    age_seconds: float
    started: bool = False
    records_in: int = 0
    records_out: int = 0
    groups: tuple[GroupStatus, ...] = ()
    refusals: dict[str, int] = {}
    stop_reasons: tuple[str, ...] = ()
    stop_forced: bool = False
    spans: tuple[SpanAccount, ...] = ()
    requests: ReplyCounters = ReplyCounters()
    request_seconds: dict[str, Histogram] = {}
    health: dict[str, str] = {}
    version: int = STATUS_VERSION

    def workers(self) -> tuple[WorkerStatus, ...]:
        """Every worker, in the order of the groups."""
        return tuple(worker for group in self.groups for worker in group.workers)

    def group(self, name: str) -> GroupStatus:
        """The group of that name; KeyError for a stranger."""
        for group in self.groups:
            if group.name == name:
                return group
        raise KeyError(name)

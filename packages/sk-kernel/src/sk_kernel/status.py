"""The versioned status of a run, which ``snapshot()``, ``sk status`` and reports show.

``msgspec.json.encode(status)`` is its form as JSON. A reader rejects an unknown ``version``.
"""

from __future__ import annotations

import msgspec

from sk_kernel._measure.totals import Histogram, Totals
from sk_kernel._replies.facts import ReplyCounters
from sk_kernel._trace.span_accounts import SpanAccount

STATUS_VERSION = 1
"""The version of the fields of a `RunStatus`; it grows with every incompatible change."""


class WorkerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One worker, in its latest incarnation.

    Identity:

    - ``pid`` is the supervisor's number for the worker, ``os_pid`` the process id of the operating
      system; None if the supervisor uses no processes.

    Work of this incarnation:

    - ``records_in`` were received by its nodes, ``records_out`` were passed on by them;
      ``dead_lettered`` and ``skipped`` count the records that they gave up. ``requests`` counts the
      requests whose records it has run.
    - ``source_records``: it has done its part of the first so many records of the source, whether
      or not they came to it.
    - ``waiting`` counts the batches that it has received and not finished. It is ``stuck`` if it
      has made no progress on them for longer than its group allows.
    - ``credit`` is the number of batches that its source may read before one is finished; None if
      it has no source.

    Ages are in seconds at the time of the snapshot, and None before the first event;
    ``progress_age_seconds`` is the time since its last progress. ``rss_bytes`` is its resident
    memory; None if that cannot be read.

    Its end: ``category`` is the category of its failure; ``last_failure`` is a line about the
    failure of the incarnation that it has replaced. ``ended`` is the end of its process (``exit
    code 1``, ``signal SIGKILL``), empty while it runs. ``rung`` is the last step of the stop ladder
    that it needed, ``none`` while it runs.

    ``totals`` are the sums over all incarnations in its place: they never fall.
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
    """The present state of a run.

    - ``ready`` is the answer to a readiness probe: the work has begun, all workers are ready, and
      no stop was requested.
    - ``started`` is the answer to a startup probe: every group was ready once, and was told to
      work.
    - ``records_in`` are the records that the source has returned, ``records_out`` those that the
      sink has received, as last reported by their groups.
    - ``stop_reasons`` are the reasons of the stop requests that had an effect, in order
      (``SIGTERM``, ``sk stop``): the first one, and the first forced one. ``stop_forced`` is true
      if there was a forced one.
    - ``refusals`` counts rejected connections and messages by ``plane.category`` (``data.replay``,
      ``control.signature``).
    - ``spans`` has the account of the spans of every process that traces, also of those that have
      ended.
    - ``requests`` counts the callers' requests. ``request_seconds`` has the times until their
      outcome, by its status (``success``, ``error``, ``timeout``, ``cancelled``).
    - ``health`` has the addresses of the probes, by ``http`` and ``grpc``; port 0 is replaced by
      the port in use.
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
        """Return every worker, in the order of the groups."""
        return tuple(worker for group in self.groups for worker in group.workers)

    def group(self, name: str) -> GroupStatus:
        """Return the group of that name.

        :raises KeyError: when there is none.
        """
        for group in self.groups:
            if group.name == name:
                return group
        raise KeyError(name)

"""The hostile behaviours (beasts): what each does to a worker, and the promised outcome. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

#: The default allowance, added to every promised time, for a machine that is busy otherwise.
SLACK_SECONDS: Final = 5.0
#: The limits that groups are configured with, short so that a run takes seconds.
HEARTBEAT_SECONDS: Final = 1
STOP_SECONDS: Final = 4
START_SECONDS: Final = 4
STUCK_SECONDS: Final = 2
LIMIT_BYTES: Final = 300 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Beast:
    """A hostile behaviour of one node, or of its worker, and the promised outcome of the run.

    ``category`` is that of the ``worker_failed`` event, empty if no worker fails. The failure, or
    the end of the worker if none fails, comes within ``seconds`` of the release of the beast.
    ``vitals``, ``ended`` and ``rung`` are fields of the events, not checked if empty. ``settings``
    are set on the process group of the node. If ``needs_stop``, the run goes on until it is asked
    to stop.
    """

    name: str
    does: str
    exit_code: int
    category: str = ""
    seconds: float = 0.0
    vitals: str = ""
    ended: str = ""
    rung: str = ""
    needs_stop: bool = False
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        return self.name


_SILENCE: Final = 3.0 * HEARTBEAT_SECONDS

_ALL: Final = (
    Beast(
        name="never_ready",
        does="waits for ever when its application is imported",
        exit_code=3,
        category="timeout",
        seconds=START_SECONDS,
        settings={"start_timeout_seconds": START_SECONDS},
    ),
    Beast(
        name="crash_on_import",
        does="raises when its application is imported",
        exit_code=3,
        category="start",
    ),
    Beast(
        name="ready_and_silent",
        does="says that it is ready, and nothing ever after; waits on a record",
        exit_code=4,
        category="heartbeat",
        seconds=_SILENCE,
        vitals="idle",
    ),
    Beast(
        name="stopped",
        does="stops itself with SIGSTOP on a record",
        exit_code=4,
        category="heartbeat",
        seconds=_SILENCE,
        vitals="stopped",
    ),
    Beast(
        name="holds_the_gil",
        does="is busy in C code that holds the GIL, on a record",
        exit_code=4,
        category="heartbeat",
        seconds=_SILENCE,
        vitals="busy",
    ),
    Beast(
        name="full_pipe",
        does="blocks on a pipe that nobody reads, on a record; its heartbeats go on",
        exit_code=4,
        category="stuck",
        seconds=STUCK_SECONDS + 2.0,
        settings={"stuck_after_seconds": STUCK_SECONDS, "on_stuck": "fail"},
    ),
    Beast(
        name="ignores_sigterm",
        does="ignores SIGTERM and never gives a record back, so that only SIGKILL ends it",
        exit_code=5,
        seconds=STOP_SECONDS,
        rung="kill",
        needs_stop=True,
    ),
    Beast(
        name="grandchildren",
        does="starts processes that start processes, and goes on",
        exit_code=0,
    ),
    Beast(
        name="exits_0",
        does="leaves with exit code 0 on a record",
        exit_code=4,
        category="crash",
        ended="exit code 0",
    ),
    Beast(
        name="segfault",
        does="dies of a segmentation fault on a record",
        exit_code=4,
        category="crash",
        ended="signal SIGSEGV",
    ),
    Beast(
        name="crash_loop",
        does="is killed on a record, in every incarnation; its group restarts twice and gives up",
        exit_code=4,
        category="crash",
        ended="signal SIGKILL",
        settings={
            "restart": {
                "policy": "on_failure",
                "intensity": 2,
                "period_seconds": 600,
                "backoff_seconds": 0.0,
            }
        },
    ),
    Beast(
        name="floods_stderr",
        does="writes 20 MB to its standard error on a record, and goes on",
        exit_code=0,
    ),
    Beast(
        name="leaks_memory",
        does="takes more and more memory on a record",
        exit_code=4,
        category="memory",
        seconds=5.0,
        settings={"max_rss_bytes": LIMIT_BYTES},
    ),
)

BEASTS: Final[Mapping[str, Beast]] = MappingProxyType({beast.name: beast for beast in _ALL})
"""All beasts, by name."""

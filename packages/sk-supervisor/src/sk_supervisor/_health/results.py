"""What a run answers to probes: a result from its status. Pure.

startup    every group was ready once, and the work began; it stays so
live       the supervisor's loop turns
ready      every group is ready, the gate is open, and no end was asked for
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sk_kernel import RunStatus

_ENDING = ("stopping", "stopped")


class Probe(StrEnum):
    """What an orchestrator asks for."""

    STARTUP = "startupz"
    LIVE = "livez"
    READY = "readyz"


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Yes, or no with its reason and the groups that are not ready."""

    ok: bool
    reason: str = ""
    missing: tuple[str, ...] = ()


YES = ProbeResult(ok=True)


def startup(status: RunStatus, groups: Iterable[str]) -> ProbeResult:
    """Whether all of ``groups``, those that the configuration names, have been ready once."""
    began = status.started or status.ready
    return YES if began else ProbeResult(False, "starting", _missing(status, groups))


def live(*, answered: bool, within_seconds: float) -> ProbeResult:
    """Whether the loop turns: it took in, within that time, what it was asked."""
    reason = f"the supervisor's loop has not answered for {within_seconds:g} s"
    return YES if answered else ProbeResult(False, reason)


def ready(status: RunStatus, groups: Iterable[str]) -> ProbeResult:
    """Whether work is under way in all of ``groups`` and no end of it has been asked for."""
    if status.ready:
        return YES
    return ProbeResult(False, _why_not(status), _missing(status, groups))


def _why_not(status: RunStatus) -> str:
    if status.state == "failed":
        return "failed"
    if status.stop_reasons:
        return "asked to stop"
    if status.started:
        return "stopping" if status.state in _ENDING else "not all groups are ready"
    return "starting"


def _missing(status: RunStatus, groups: Iterable[str]) -> tuple[str, ...]:
    there = {g.name for g in status.groups if g.workers and all(w.ready for w in g.workers)}
    return tuple(name for name in groups if name not in there)

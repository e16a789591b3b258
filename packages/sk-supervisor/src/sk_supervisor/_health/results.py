"""The results of probes, from the status of a run. Pure.

startup    every group was ready once, and the work began; stays true
live       the supervisor's loop runs
ready      every group is ready, the gate is open, and no stop was requested
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sk_kernel import RunStatus

_ENDING = ("stopping", "stopped")


class Probe(StrEnum):
    """The probes of an orchestrator."""

    STARTUP = "startupz"
    LIVE = "livez"
    READY = "readyz"


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of a probe; if it is not ``ok``, with a reason and the groups not ready."""

    ok: bool
    reason: str = ""
    missing: tuple[str, ...] = ()


YES = ProbeResult(ok=True)


def startup(status: RunStatus, groups: Iterable[str]) -> ProbeResult:
    """Whether all configured ``groups`` have been ready once."""
    began = status.started or status.ready
    return YES if began else ProbeResult(False, "starting", _missing(status, groups))


def live(*, answered: bool, within_seconds: float) -> ProbeResult:
    """Whether the loop runs: ``answered`` says whether it did within ``within_seconds``."""
    reason = f"the supervisor's loop has not answered for {within_seconds:g} s"
    return YES if answered else ProbeResult(False, reason)


def ready(status: RunStatus, groups: Iterable[str]) -> ProbeResult:
    """Whether all ``groups`` are working and no stop was requested."""
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

"""The CPU time of all processes by kind of work. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sk_supervisor._profile.measures import WAIT, ProcessProfile

_NODES: Final = "nodes"
_ADAPTERS: Final = "source and sink"
_CROSSING: Final = "from process to process"
_TOLD: Final = "spans and logs"
_KINDS: Final = (_NODES, _ADAPTERS, _CROSSING, _TOLD)

#: The stages of adapters, of frames, and of spans; all others, except waiting, are nodes.
_ENDS: Final = ("source read", "source decode", "sink encode", "sink write")
_FRAMES: Final = tuple(
    f"frame {what}" for what in ("receive", "verify", "decode", "encode", "sign", "send")
)
_SPANS: Final = "trace spans"
#: The supervisor's thread that relays frames.
_RELAY: Final = "hub relay"
#: The prefix of the names of exporter threads.
_EXPORT: Final = "export "


def cpu_by_kind(profiles: Iterable[ProcessProfile]) -> Mapping[str, float]:
    """CPU seconds by kind of work; their sum is the CPU time of all processes.

    Spans and logs are left out if they took none.
    """
    spent = dict.fromkeys(_KINDS, 0.0)
    whole = 0.0
    for profile in profiles:
        whole += profile.cpu_seconds
        for stage in profile.stages:
            if stage.name != WAIT:
                spent[_kind_of(stage.name)] += stage.cpu_seconds
        for thread, seconds in profile.threads.items():
            if thread == _RELAY:
                spent[_CROSSING] += seconds
            elif thread.startswith(_EXPORT):
                spent[_TOLD] += seconds
    if not spent[_TOLD]:
        del spent[_TOLD]
    return {**spent, "everything else": max(whole - sum(spent.values()), 0.0)}


def _kind_of(stage: str) -> str:
    if stage in _ENDS:
        return _ADAPTERS
    if stage in _FRAMES:
        return _CROSSING
    return _TOLD if stage == _SPANS else _NODES

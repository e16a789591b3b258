"""What the processor's time of all processes went into, by kind. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sk_supervisor._profile.measures import WAIT, ProcessProfile

#: The stages of adapters, and of frames; but for waiting all others are nodes.
_ENDS: Final = ("source read", "source decode", "sink encode", "sink write")
_FRAMES: Final = tuple(
    f"frame {what}" for what in ("receive", "verify", "decode", "encode", "sign", "send")
)
#: The supervisor's thread that does nothing but pass frames on.
_RELAY: Final = "hub relay"


def cpu_by_kind(profiles: Iterable[ProcessProfile]) -> Mapping[str, float]:
    """Seconds by kind, of all processes; they add up to what these have used."""
    ends = crossing = nodes = whole = 0.0
    for profile in profiles:
        whole += profile.cpu_seconds
        crossing += profile.threads.get(_RELAY, 0.0)
        for stage in profile.stages:
            if stage.name in _ENDS:
                ends += stage.cpu_seconds
            elif stage.name in _FRAMES:
                crossing += stage.cpu_seconds
            elif stage.name != WAIT:
                nodes += stage.cpu_seconds
    return {
        "nodes": nodes,
        "source and sink": ends,
        "from process to process": crossing,
        "everything else": max(whole - nodes - ends - crossing, 0.0),
    }

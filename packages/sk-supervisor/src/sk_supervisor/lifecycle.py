"""The tables that define the lifecycle of workers and groups, for documentation and tests."""

from __future__ import annotations

from sk_supervisor._lives.lifecycle import (
    GROUP_EMITS,
    GROUP_RULE,
    TRANSITIONS,
    Act,
    Event,
    GroupEvent,
    GroupRow,
    Quantifier,
    State,
    Transition,
    overall,
    step,
)

__all__ = [
    "GROUP_EMITS",
    "GROUP_RULE",
    "TRANSITIONS",
    "Act",
    "Event",
    "GroupEvent",
    "GroupRow",
    "Quantifier",
    "State",
    "Transition",
    "overall",
    "step",
]

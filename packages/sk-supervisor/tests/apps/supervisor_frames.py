"""Headers of frames, for the tests that make some."""

from __future__ import annotations

from typing import Any

from sk_supervisor._protocol.frames import BatchHeader


def header(**changes: Any) -> BatchHeader:
    """Of a frame from the first segment to the second."""
    plain: dict[str, Any] = {
        "sender": "in-0.1",
        "receiver": "mid-0.1",
        "run_id": "r1",
        "scenario_id": "s",
        "epoch": 1,
        "first": 1,
        "last": 3,
        "source_segment": 0,
        "target_segment": 1,
        "more": False,
        "complete": True,
        "sampled": False,
    }
    return BatchHeader(**{**plain, **changes})

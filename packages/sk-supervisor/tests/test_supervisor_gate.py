"""The gate over real workers: what a supervisor knows of them before the first one works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sk_control import StartWork
from supervisor_harness import supervised


def test_every_worker_is_marked_before_one_is_told_and_the_source_is_told_last(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, set[str]]] = []
    with supervised(target) as run:
        work = run.supervisor._parts.work
        tell = work.tell

        def telling(record: Any, message: Any) -> bool:
            if isinstance(message, StartWork):
                states = {worker.state for worker in run.supervisor.snapshot().workers()}
                told.append((record.worker_id, states))
            return tell(record, message)

        monkeypatch.setattr(work, "tell", telling)
        run.ready()
        run.supervisor.run()
    assert told == [(worker, {"running"}) for worker in ("out-0.1", "mid-0.1", "in-0.1")]

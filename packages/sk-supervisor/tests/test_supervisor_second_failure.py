"""A run that fails, and whose shutdown fails, too: the first failure is what it has failed of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_kernel import BootstrapSupervisor, LifecycleEvent
from sk_supervisor import (
    LocalBootstrapSupervisor,
    MultiprocessBootstrapSupervisor,
    StopTimeoutError,
    prepare,
)
from sk_supervisor._run.lifetime import supervised
from sk_supervisor._system.signals import ReceivedSignals
from sk_supervisor._telemetry.rails import lay_rails
from supervisor_harness import GROUPS, settings

SECOND = {
    "the stop took longer than 7 s": StopTimeoutError(["mid-0.1"], 7),
    "OSError(5, 'the ladder is broken')": OSError(5, "the ladder is broken"),
}


class BadEnd:
    """What has been shut down in full, and then says that it could not be."""

    second: Exception

    def shutdown(self) -> str:
        super().shutdown()  # type: ignore[misc]
        raise self.second


class LocalBadEnd(BadEnd, LocalBootstrapSupervisor):
    pass


class MultiprocessBadEnd(BadEnd, MultiprocessBootstrapSupervisor):
    pass


def ended(
    target: Path, mode: str, second: Exception, work: dict[str, Any]
) -> tuple[int, str, list[LifecycleEvent]]:
    """The exit code, what is wrong, and the events of a run whose shutdown fails."""
    inline = mode == "inline"
    configuration = settings(target, mode=mode, groups=() if inline else GROUPS, work=work)
    prepared = prepare(build_config(configuration))
    rails = lay_rails(prepared, "r1")
    kind = LocalBadEnd if inline else MultiprocessBadEnd
    supervisor = kind(prepared, "r1", rails.log)
    supervisor.second = second
    checked: BootstrapSupervisor = supervisor
    code, _, wrong = supervised(checked, prepared, rails, ReceivedSignals())
    events = list(rails.log.events())
    rails.close((), 1.0)
    return code, wrong, events


@pytest.mark.contract("HANDOFF-E-03")
@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize(
    ("mode", "group"),
    [("inline", None), ("process_supervisor", "mid")],
    ids=["inline", "processes"],
)
def test_what_fails_in_the_shutdown_is_told_behind_the_first_failure_and_masks_it_not(
    target: Path, mode: str, group: str | None, second: str
) -> None:
    code, wrong, events = ended(target, mode, SECOND[second], {"at": 5, "do": "raise"})
    assert code == 4
    assert wrong.index("ValueError") < wrong.index(f"and then: {second}")
    [told] = [e for e in events if e.name == "handoff_failed"]
    assert (told.fields["category"], told.group) == ("shutdown", group)
    assert target.read_text() == "old\n"

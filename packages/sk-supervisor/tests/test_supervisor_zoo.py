"""The zoo: every hostile worker comes to the end that is promised, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sk_supervisor.testing import Beast, Visit, Zoo
from sk_supervisor.testing.zoo import every_beast, zoo  # noqa: F401 - a fixture
from supervisor_harness import expected, settings

#: A CI machine runs other tests at the same time.
SLACK_SECONDS = 30.0
#: No state beside the node: a group with a state is not restarted. The other is on both sides.
GROUPS: tuple[dict[str, Any], ...] = (
    {"name": "ends", "nodes": ["source:source", "split", "tally_up", "sink:sink"]},
    {"name": "mid", "nodes": ["work"]},
)


def visited(zoo: Zoo, target: Path, beast: Beast) -> Visit:  # noqa: F811
    return zoo.run(settings(target, groups=GROUPS), node="work", beast=beast, at=3)


@pytest.mark.contract("PROC-03", "PROC-INT-04", "P5PRE-LIFE-02", "P5PRE-LIFE-03", "STOP-IPC-02")
@every_beast
def test_a_beast_comes_to_its_promised_end(
    zoo: Zoo,  # noqa: F811
    target: Path,
    beast: Beast,
) -> None:
    visit = visited(zoo, target, beast)
    visit.check(slack_seconds=SLACK_SECONDS)
    if beast.name == "crash_loop":
        assert [e["worker"] for e in visit.failures] == ["mid-0.1", "mid-0.2", "mid-0.3"]
        assert len(visit.out_at) == 3
    if beast.exit_code == 0:
        [run_id] = {event["correlation_id"] for event in visit.events}
        assert target.read_text().splitlines() == expected(20, run_id)
    else:
        assert target.read_text() == "old\n"


@pytest.mark.parametrize("name", ["never_ready", "crash_on_import"])
def test_a_group_that_is_restarted_and_never_ready_fails_the_start_too(
    zoo: Zoo,  # noqa: F811
    target: Path,
    name: str,
) -> None:
    ends, middle = GROUPS
    restart = {"policy": "on_failure", "intensity": 1, "backoff_seconds": 0.01}
    groups = (ends, {**middle, "restart": restart})
    visit = zoo.run(settings(target, groups=groups), node="work", beast=name, at=3)
    visit.check(slack_seconds=SLACK_SECONDS)
    assert [e["worker"] for e in visit.failures] == ["mid-0.1", "mid-0.2"]


@pytest.mark.soak
@pytest.mark.parametrize("round_", range(10))
@every_beast
def test_the_whole_zoo_ten_times_over(
    zoo: Zoo,  # noqa: F811
    target: Path,
    beast: Beast,
    round_: int,
) -> None:
    visited(zoo, target, beast).check(slack_seconds=SLACK_SECONDS)

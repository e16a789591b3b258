"""What comes to a worker's segments: what is known of a record is what its last sender knew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sk_config import build_config
from sk_kernel.runtime import Batch, Correlation, Identity, Parcel, Section, TraceIds
from sk_supervisor import prepare
from sk_supervisor._protocol.frames import BatchHeader
from sk_supervisor._worker.inbox import BatchArrived
from sk_supervisor._worker.intake import Intake
from supervisor_runs import MODES

GROUPS = {
    "ends": ["source:source", "sink:sink"],
    "g": ["split", "hand_on", "tell"],
    "h": ["mark"],
    "i": ["confirm"],
    "j": ["wait"],
}


def thrice(mode: str) -> dict[str, Any]:
    """The group ``g`` has three segments: the last one hears of the second, and of ``i``."""
    return {
        "version": 1,
        "scenario": "thrice",
        "runtime": {
            "discovery_modules": ["thrice_app"],
            "platform": {
                "bootstrap": {"mode": mode},
                "execution_ipc": {"transport": "tcp_local", "control": {}},
                "process_groups": [{"name": n, "nodes": nodes} for n, nodes in GROUPS.items()],
            },
        },
        "adapters": {"source": {"name": "numbers"}, "sink": {"name": "out"}},
    }


@MODES
def test_headers_are_those_that_a_record_was_given_last(
    ask: Callable[..., tuple[int, str, str]], mode: str
) -> None:
    code, out, err = ask("run", thrice(mode), "--quiet")
    assert (code, err) == (0, "")
    given = [f"{n} {'nobody' if n % 2 else 'mark'}" for n in range(6)]
    assert out.splitlines() == given


@pytest.mark.parametrize("local_first", [True, False])
def test_what_is_handed_over_in_a_worker_says_nothing_of_records_that_come_another_way(
    local_first: bool,
) -> None:
    """The group's first segment knew them, too, with the headers that they had then."""
    plan = prepare(build_config(thrice("process_supervisor"))).plan
    segment = {name: plan.segment_of(name).index for name in ("hand_on", "confirm", "tell")}
    payload = {"Late": plan.graph.nodes["hand_on"].emits.types[0]}
    payload["Confirmed"] = plan.graph.nodes["confirm"].emits.types[0]
    known = {1: Correlation(headers={"by": "mark"})}
    came = [Section("confirm", payload["Confirmed"], None, [1], [None])]

    def decode(batch: Batch, _: object) -> list[Section]:
        batch.correlations.update(known)
        return came

    identity = Identity("r", "thrice", "g", TraceIds("r"), 0)
    intake = Intake(plan, identity, decode=decode, tracer=None, resumed=False)
    header = BatchHeader(
        sender="i-0.1",
        receiver="g-0.1",
        run_id="r",
        scenario_id="thrice",
        epoch=1,
        first=1,
        last=2,
        source_segment=segment["confirm"],
        target_segment=segment["tell"],
        more=False,
        complete=True,
        sampled=False,
    )
    own = Batch(1, 1, 2, correlations={1: Correlation(headers={"by": "split"})})
    stays = Section("hand_on", payload["Late"], None, [2], [None])
    parcel = Parcel((segment["hand_on"], 0), [stays])

    def local() -> None:
        intake.stay(segment["tell"], own, parcel)

    def remote() -> None:
        intake.arrive(BatchArrived(header, b"", False))

    for come in (local, remote) if local_first else (remote, local):
        come()
    ((_, batch, parcels),) = intake.whole()
    assert batch.correlations == known
    came_from = [section.producer for each in parcels for section in each.sections]
    assert sorted(came_from) == ["confirm", "hand_on"]

"""The suite of the contract catches a supervisor that does not keep it, and names the claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from contract_configuration import configuration
from msgspec.structs import replace
from sk_config import build_config
from sk_kernel import ApplicationSpec, LifecycleEvent, RunReport, RunStatus
from sk_kernel.testing import (
    SUPERVISOR_CLAIMS,
    Made,
    MakeSupervisor,
    check_supervisor,
    check_supervisor_claim,
)
from sk_observability import LifecycleLog
from sk_supervisor import LocalBootstrapSupervisor, prepare

Local = LocalBootstrapSupervisor


def with_worker(status: RunStatus, **changes: Any) -> RunStatus:
    """The status with its one worker changed."""
    [group] = status.groups
    worker = replace(group.workers[0], **changes)
    return replace(status, groups=(replace(group, workers=(worker,)),))


class WithoutPids(Local):
    """An engine whose workers are no processes."""

    def snapshot(self) -> RunStatus:
        status = super().snapshot()
        alive = status.groups[0].workers[0].state != "stopped"
        return with_worker(status, os_pid=None, alive=alive)


class AlwaysReady(Local):
    def wait_ready(self, timeout_seconds: float) -> bool:
        super().wait_ready(max(1.0, timeout_seconds))
        return True


class TakesAnyGroup(Local):
    def start_groups(self, group_names: Sequence[str]) -> None:
        super().start_groups([])


class LosesRecords(Local):
    def run(self) -> RunReport:
        report = super().run()
        return replace(report, records_out=report.records_out - 1)


class NeverStopped(Local):
    def shutdown(self) -> str:
        super().shutdown()
        return "stop"


class Forgetful(Local):
    def lifecycle_events(self) -> Sequence[LifecycleEvent]:
        return super().lifecycle_events()[1:]


class TellsAll(Local):
    def subscribe(self, after_sequence: int) -> Sequence[LifecycleEvent]:
        return self.lifecycle_events()


class AlwaysWorking(Local):
    def snapshot(self) -> RunStatus:
        return replace(super().snapshot(), ready=True)


class TakesTheSecondForForce(Local):
    asked = 0

    def request_stop(self, reason: str, *, force: bool = False) -> None:
        self.asked += 1
        super().request_stop(reason, force=force or self.asked > 1)


class DeafToForce(Local):
    def request_stop(self, reason: str, *, force: bool = False) -> None:
        super().request_stop(reason)


class TellsNoRecords(Local):
    def snapshot(self) -> RunStatus:
        return with_worker(super().snapshot(), records_out=0)


def made_as(kind: type[Local]) -> MakeSupervisor:
    def make(application: ApplicationSpec, placement: object) -> Made:
        prepared = prepare(build_config(configuration(application, "inline", {})))
        return Made(kind(prepared, "r1", LifecycleLog("r1", level="debug")), ("memory",))

    return make


def test_an_engine_without_processes_can_keep_it() -> None:
    check_supervisor(made_as(WithoutPids), has_os_pids=False)


@pytest.mark.parametrize(
    ("kind", "has_os_pids", "claim"),
    [
        (AlwaysReady, True, "nothing_is_ready_without_time"),
        (TakesAnyGroup, True, "an_unknown_group_is_refused"),
        (LosesRecords, True, "a_run_takes_every_record_through"),
        (NeverStopped, True, "a_shutdown_is_legal_in_every_state"),
        (Forgetful, True, "events_are_told_in_order"),
        (TellsAll, True, "a_subscriber_gets_what_it_has_not_seen"),
        (AlwaysWorking, True, "a_stop_drains_what_was_read"),
        (TakesTheSecondForForce, True, "asking_again_is_no_force"),
        (DeafToForce, True, "a_stop_by_force_needs_no_other_before_it"),
        (WithoutPids, True, "processes_are_real_where_there_are_any"),
        (Local, False, "processes_are_real_where_there_are_any"),
    ],
)
def test_a_cheat_is_caught_by_the_claim_that_it_breaks(
    kind: type[Local], has_os_pids: bool, claim: str
) -> None:
    with pytest.raises(AssertionError) as caught:
        check_supervisor(made_as(kind), has_os_pids=has_os_pids)
    assert any(note.startswith(f"the claim: {claim}:") for note in caught.value.__notes__)


def test_a_claim_about_a_run_without_end_comes_back_where_nothing_is_ever_seen_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sk_kernel.testing._supervisor_bench.SOON", 0.2)
    [claim] = [c for c in SUPERVISOR_CLAIMS if c.__name__ == "a_stop_drains_what_was_read"]
    with pytest.raises(AssertionError, match="expected to see in the run what is waited for"):
        check_supervisor_claim(claim, made_as(TellsNoRecords), has_os_pids=True)

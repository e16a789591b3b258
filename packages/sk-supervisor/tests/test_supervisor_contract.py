"""Both supervisors keep the contract of ``BootstrapSupervisor``: the suite that others run too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from contract_configuration import configuration
from sk_config import build_config
from sk_kernel import ApplicationSpec, RunSetup
from sk_kernel.testing import (
    SUPERVISOR_CLAIMS,
    Made,
    MakeSupervisor,
    SupervisorClaim,
    check_supervisor_claim,
)
from sk_observability import LifecycleLog
from sk_supervisor import prepare, supervisor_of


def made_with(mode: str) -> MakeSupervisor:
    """Makes the supervisor of a mode as ``sk run`` does: by its name."""

    def make(application: ApplicationSpec, placement: Mapping[str, Sequence[str]]) -> Made:
        groups = dict(placement) if mode != "inline" else {}
        prepared = prepare(build_config(configuration(application, mode, groups)))
        names = tuple(group.name for group in prepared.groups)
        setup = RunSetup(
            run_id="r1",
            config=prepared.config,
            groups=names,
            application=prepared.application,
            plan=prepared.plan,
            limits=prepared.limits,
            log=LifecycleLog("r1", level="debug"),
        )
        return Made(supervisor_of(mode, setup), names or ("memory",))

    return make


each_claim = pytest.mark.parametrize("claim", SUPERVISOR_CLAIMS, ids=lambda claim: claim.__name__)


@pytest.mark.contract("PROC-INT-05", "P5PRE-SUP-02", "P5PRE-SUP-07", "PROC-INT-06", "BOOT-API-02")
@each_claim
def test_the_supervisor_of_processes_keeps_its_promise(claim: SupervisorClaim) -> None:
    check_supervisor_claim(claim, made_with("process_supervisor"), has_os_pids=True)


@pytest.mark.contract("PROC-INT-05", "PROC-INT-06")
@each_claim
def test_the_supervisor_of_the_memory_profile_keeps_its_promise(claim: SupervisorClaim) -> None:
    check_supervisor_claim(claim, made_with("inline"), has_os_pids=True)

"""Running claims against a supervisor."""

from __future__ import annotations

from sk_kernel.errors import KernelError
from sk_kernel.testing._supervisor_bench import MakeSupervisor, SupervisorBench
from sk_kernel.testing._supervisor_claims import SUPERVISOR_CLAIMS, SupervisorClaim


def check_supervisor_claim(
    claim: SupervisorClaim, make: MakeSupervisor, *, has_os_pids: bool
) -> None:
    """Check new supervisors against one claim; raise AssertionError, with its name in a note."""
    try:
        _call(claim, SupervisorBench(make, has_os_pids))
    except AssertionError as broken:
        broken.add_note(f"the claim: {claim.__name__}: {claim.__doc__}")
        raise


def check_supervisor(make: MakeSupervisor, *, has_os_pids: bool) -> None:
    """Check an implementation of ``BootstrapSupervisor`` against its contract, SUPERVISOR_CLAIMS.

    ``make(application, placement)`` returns a new supervisor of an application, not started, and
    the names of the groups to start it with; it is called at least once for each claim. An engine
    that has process groups places the nodes by ``placement`` (group to vertices); another may
    ignore it. ``has_os_pids`` says whether its workers are processes of this machine.

    :raises AssertionError: at the first claim that does not hold.
    """
    for claim in SUPERVISOR_CLAIMS:
        check_supervisor_claim(claim, make, has_os_pids=has_os_pids)


def _call(claim: SupervisorClaim, bench: SupervisorBench) -> None:
    try:
        claim(bench)
    except KernelError as fault:
        problem = f"the supervisor raised {type(fault).__name__}: {fault}"
        raise AssertionError(problem) from fault

"""The contract of a supervisor as claims, whatever its workers are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sk_kernel.testing._supervisor_bench import SupervisorBench
from sk_kernel.testing._supervisor_start_claims import START_CLAIMS
from sk_kernel.testing._supervisor_stop_claims import STOP_CLAIMS
from sk_kernel.testing._supervisor_told_claims import TOLD_CLAIMS
from sk_kernel.testing._supervisor_work_claims import WORK_CLAIMS

SupervisorClaim = Callable[[SupervisorBench], None]
"""One promise of the contract: raises `AssertionError` if a supervisor does not keep it."""

SUPERVISOR_CLAIMS: Final[tuple[SupervisorClaim, ...]] = (
    *START_CLAIMS,
    *WORK_CLAIMS,
    *STOP_CLAIMS,
    *TOLD_CLAIMS,
)
"""The promises of `BootstrapSupervisor`: each is named by its function and has a docstring."""

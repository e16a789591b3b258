"""All that a supervisor promises, whatever its workers are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sk_kernel.testing._supervisor_bench import SupervisorBench
from sk_kernel.testing._supervisor_start_claims import START_CLAIMS
from sk_kernel.testing._supervisor_stop_claims import STOP_CLAIMS
from sk_kernel.testing._supervisor_told_claims import TOLD_CLAIMS
from sk_kernel.testing._supervisor_work_claims import WORK_CLAIMS

SupervisorClaim = Callable[[SupervisorBench], None]
"""One promise: raises `AssertionError` where a supervisor does not keep it."""

SUPERVISOR_CLAIMS: Final[tuple[SupervisorClaim, ...]] = (
    *START_CLAIMS,
    *WORK_CLAIMS,
    *STOP_CLAIMS,
    *TOLD_CLAIMS,
)
"""Each is a promise of `BootstrapSupervisor`, named by its function and said by its docstring."""

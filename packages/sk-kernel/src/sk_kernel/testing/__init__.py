"""Helpers for testing nodes and applications, without processes, files or a test framework.

``run_node`` calls one node; ``run_source`` and ``run_sink`` drive one source or sink;
``run_application`` runs a whole graph in the memory profile; ``run_placed`` runs it divided into
process groups, with encoded records between them, in this one process.

For an engine of your own: ``check_supervisor`` checks an implementation of ``BootstrapSupervisor``
against its contract; ``SUPERVISOR_CLAIMS`` are the single claims.
"""

from sk_kernel.testing._adapters import CollectSink, ListSource
from sk_kernel.testing._applications import run_application
from sk_kernel.testing._as_one import WorkersDifferError
from sk_kernel.testing._driven import SinkOutcome, run_sink, run_source
from sk_kernel.testing._given_up import GivenUp
from sk_kernel.testing._nodes import run_node
from sk_kernel.testing._placed import run_placed
from sk_kernel.testing._supervisor_bench import Made, MakeSupervisor, SupervisorBench
from sk_kernel.testing._supervisor_claims import SUPERVISOR_CLAIMS, SupervisorClaim
from sk_kernel.testing._supervisor_suite import check_supervisor, check_supervisor_claim

__all__ = [
    "SUPERVISOR_CLAIMS",
    "CollectSink",
    "GivenUp",
    "ListSource",
    "Made",
    "MakeSupervisor",
    "SinkOutcome",
    "SupervisorBench",
    "SupervisorClaim",
    "WorkersDifferError",
    "check_supervisor",
    "check_supervisor_claim",
    "run_application",
    "run_node",
    "run_placed",
    "run_sink",
    "run_source",
]

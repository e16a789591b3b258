"""The basis of a worker's parts, from its bundle: discovery, container, and measuring parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sk_control import BootstrapBundle
from sk_kernel.runtime import Identity, Meter, TraceIds, Tracer

from sk_supervisor._protocol.bundle import load_child_bootstrap_bundle
from sk_supervisor._worker.inbox import Credit

if TYPE_CHECKING:
    from sk_supervisor._profile.measures import Profiler
    from sk_supervisor._worker.spans import WorkerSpans


class Basis:
    """The objects that a worker's parts are built from; none is shared with another process.

    :param assignment: the assignment that the spawn pipe carried: see :class:`WorkerStart`.
    :raises BundleRejectedError: when the bundle cannot be read, or discovery finds other nodes than
        it names.
    :raises KernelError: when discovery fails.
    :raises ExporterSetupError: when an exporter cannot be created.
    """

    def __init__(self, bundle: BootstrapBundle, assignment: dict[str, Any]) -> None:
        self.bundle, self.assignment = bundle, assignment
        self.worker_id: str = assignment["worker_id"]
        self.profiler = self._profiler() if assignment.get("profile") else None
        loaded = load_child_bootstrap_bundle(bundle.application)
        self.child, self.application, self.plan = loaded
        self.ids = TraceIds(bundle.run_id, self.child.sampling_ratio)
        self.identity = Identity(
            bundle.run_id, bundle.scenario_id, bundle.group, self.ids, bundle.worker_index
        )
        self.spans = self._spans() if self.child.spans else None
        self.container = self.application.container()
        self.meter = Meter()
        self.credit = Credit(self.child.limits.in_flight, self.meter)

    @property
    def tracer(self) -> Tracer | None:
        """The tracer; None if the run is not traced."""
        return self.spans.tracer if self.spans else None

    def _profiler(self) -> Profiler:
        # Imported here: only profiled workers need it.
        from sk_supervisor._profile.measures import Profiler

        folder, marks = self.assignment["profile"], self.assignment["marks"]
        return Profiler(folder, worker_id=self.worker_id, group=self.bundle.group, marks=marks)

    def _spans(self) -> WorkerSpans:
        # Imported here: only traced workers need it.
        from sk_observability import SpanFanOut, build_span_exporters

        from sk_supervisor._worker.spans import WorkerSpans

        exporters = SpanFanOut(
            build_span_exporters(
                self.child.spans,
                worker=self.worker_id,
                close_seconds=self.child.flush_seconds,
                run_id=self.bundle.run_id,
            )
        )
        stopwatch = self.profiler.main if self.profiler else None
        tracer = Tracer(self.plan, self.ids, [exporters], stopwatch)
        branching = self.plan.graph.branching
        return WorkerSpans(tracer, exporters, self.worker_id, branching=branching)

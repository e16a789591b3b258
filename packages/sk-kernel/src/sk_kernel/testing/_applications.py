"""Running a whole application on payloads from a list, into a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sk_kernel._adapters.source import BatchLimits
from sk_kernel._application.application import ApplicationContext
from sk_kernel._application.discovery import Catalogue, discover
from sk_kernel._application.spec import AdapterSettings, ApplicationSpec
from sk_kernel._declare.specs import Emission, PayloadType, SinkSpec, SourceSpec
from sk_kernel._memory import MemoryRun
from sk_kernel._record.envelope import Envelope
from sk_kernel._trace.span import NodeObserver
from sk_kernel.testing._adapters import CollectSink, ListSource

#: What can be run: an application, or the module roots that it is declared under, or one of them.
Application = ApplicationSpec | Sequence[str] | str
NodeSettings = Mapping[str, dict[str, Any]]

_SOURCE, _SINK = "testing:list_source", "testing:collect_sink"


def run_application(
    application: Application,
    payloads: Iterable[Any],
    *,
    nodes: NodeSettings | None = None,
    batch_records: int = 1000,
    run_id: str = "test",
    observers: Sequence[NodeObserver] = (),
    sampling_ratio: float = 1.0,
) -> list[Any]:
    """What the sink gets of ``payloads`` in the memory profile, in order.

    The application's own source and sink are not run: a list takes the place of each. What they
    give and take by their declaration stays; where ``application`` names none, the source gives the
    types of ``payloads`` (of none: those that nodes take and none emits) and the sink takes what no
    node consumes. ``nodes`` are settings by node, over those of the application. The result is the
    same for every ``batch_records``.

    :raises DiscoveryError, DefinitionError, PreflightError: when this cannot be run.
    :raises RunError: when a node failed.
    """
    context, sink = substituted(application, payloads, nodes or {})
    limits = BatchLimits(max_records=batch_records)
    run = MemoryRun(
        context, run_id, limits=limits, observers=observers, sampling_ratio=sampling_ratio
    )
    run.run()
    return sink.received


def substituted(
    application: Application, payloads: Iterable[Any], nodes: NodeSettings
) -> tuple[ApplicationContext, CollectSink]:
    """The application with lists for adapters, and the sink that it will write to."""
    if not isinstance(application, ApplicationSpec):
        roots = [application] if isinstance(application, str) else list(application)
        application = ApplicationSpec(scenario="test", discovery_modules=roots)
    catalogue = discover(application.discovery_modules)
    given, sink = list(payloads), CollectSink()
    gives = _given(application, catalogue, given)
    takes = _taken(application, catalogue, gives)
    make_source = partial(ListSource, given)
    catalogue.sources[_SOURCE] = SourceSpec(_SOURCE, make_source, True, None, gives, None)
    catalogue.sinks[_SINK] = SinkSpec(_SINK, lambda: sink, True, None, takes, None)
    spec = ApplicationSpec(
        scenario=application.scenario,
        discovery_modules=application.discovery_modules,
        nodes={**application.nodes, **nodes},
        source=AdapterSettings(_SOURCE),
        sink=AdapterSettings(_SINK),
        failure=application.failure,
    )
    return ApplicationContext(spec, catalogue=catalogue), sink


def _given(spec: ApplicationSpec, catalogue: Catalogue, payloads: list[Any]) -> Emission:
    if spec.source and spec.source.name in catalogue.sources:
        return catalogue.sources[spec.source.name].payload
    bare = (p.payload if isinstance(p, Envelope) else p for p in payloads)
    annotated = {t.cls: t for node in catalogue.nodes.values() for t in node.consumes}
    classes = dict.fromkeys(map(type, bare)) or _entrances(catalogue, annotated)
    types = tuple(annotated.get(cls) or PayloadType(cls, cls) for cls in classes)
    return Emission(types, enveloped=True)


def _entrances(catalogue: Catalogue, consumed: Iterable[type]) -> dict[type, None]:
    """The consumed classes that no node emits, nor one derived of them."""
    nodes = catalogue.nodes.values()
    emissions = [each for node in nodes for each in (node.emits, node.finish or Emission())]
    emitted = {base for each in emissions for t in each.types for base in t.cls.__mro__}
    return dict.fromkeys(cls for cls in consumed if cls not in emitted)


def _taken(spec: ApplicationSpec, catalogue: Catalogue, source: Emission) -> Emission:
    if spec.sink and spec.sink.name in catalogue.sinks:
        return catalogue.sinks[spec.sink.name].payload
    emissions = [source]
    for node in catalogue.nodes.values():
        emissions += [node.emits, node.finish or Emission()]
    consumed = {t.cls for node in catalogue.nodes.values() for t in node.consumes}
    every = dict.fromkeys(t for emission in emissions for t in emission.types)
    return Emission(tuple(t for t in every if consumed.isdisjoint(t.cls.__mro__)))

"""Running a whole application from a list of payloads into a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from sk_kernel._adapters.source import BatchLimits
from sk_kernel._application.application import ApplicationContext
from sk_kernel._application.discovery import Catalogue, discover
from sk_kernel._application.preflight import one_of
from sk_kernel._application.spec import AdapterSettings, ApplicationSpec
from sk_kernel._declare.specs import AdapterSpec, Emission, PayloadType, SinkSpec, SourceSpec
from sk_kernel._graph.serving import REPLIES, REQUESTS
from sk_kernel._memory.run import MemoryRun
from sk_kernel._record.envelope import Envelope
from sk_kernel._trace.span import NodeObserver
from sk_kernel.errors import Fault, PreflightError
from sk_kernel.testing._adapters import CollectSink, ListSource
from sk_kernel.testing._given import answers
from sk_kernel.testing._given_up import GivenUp, LetterBox, letter_box

#: An application to run, or the module roots that it is declared under, or one module root.
Application = ApplicationSpec | Sequence[str] | str
#: Settings by the name of a node or a service.
OwnSettings = Mapping[str, dict[str, Any]]

_SOURCE, _SINK = "testing:list_source", "testing:collect_sink"
_NO_BOX = LetterBox()


def run_application(
    application: Application,
    payloads: Iterable[Any],
    *,
    nodes: OwnSettings | None = None,
    services: Iterable[object] = (),
    service_settings: OwnSettings | None = None,
    given_up: list[GivenUp] | None = None,
    batch_records: int = 1000,
    run_id: str = "test",
    observers: Sequence[NodeObserver] = (),
    sampling_ratio: float = 1.0,
) -> list[Any]:
    """Run an application on ``payloads`` in the memory profile; return what the sink receives.

    The application's own source and sink are not run: lists replace them, with the payload types
    that they declare. ``payloads`` may be wrapped in `Envelope`. The types are those of the source
    and sink that ``application`` names. If it names none, they are those of the sources and sinks
    under its module roots: several must declare the same types, or one must be named. If none is
    declared, the source emits the types of ``payloads`` (if there are no payloads: the types that
    nodes consume and none emits), and the sink consumes the types that no node consumes.

    The result is in order, and the same for every ``batch_records``.

    :param application: module roots, or an ApplicationSpec; ``sk_supervisor.application_spec``
        makes one from a configuration.
    :param nodes: settings by node, which override those of the application.
    :param services: instances to inject, for a parameter of their class or of a base class. A
        ``@service`` that is needed and not given is checked, created and closed as in a run.
    :param service_settings: settings by service, which override those of the application.
    :param given_up: receives the dead letters of the run, once it is complete; the application's
        file of dead letters is not written, and none need be named.
    :raises DiscoveryError, DefinitionError, PreflightError: when the application cannot be run, for
        example because a source or sink must be named, or there is none of that name.
    :raises RunError: when a node failed, or a payload is not of a type that the source emits.
    """
    limits = BatchLimits(max_records=batch_records)
    with letter_box(wanted=given_up is not None) as box:
        context, sink = substituted(
            application, payloads, nodes or {}, services, service_settings, box
        )
        run = MemoryRun(
            context,
            run_id,
            limits=limits,
            observers=observers,
            sampling_ratio=sampling_ratio,
            on_letter=box.take,
        )
        run.run()
        if given_up is not None:
            given_up += box.given_up()
    return sink.received


def substituted(
    application: Application,
    payloads: Iterable[Any],
    nodes: OwnSettings,
    services: Iterable[object] = (),
    service_settings: OwnSettings | None = None,
    box: LetterBox = _NO_BOX,
) -> tuple[ApplicationContext, CollectSink]:
    """Return the application with lists as source and sink, and the sink that it will write to."""
    application = box.put_into(_spec_of(application))
    catalogue = discover(application.discovery_modules)
    given, sink = list(payloads), CollectSink()
    gives, takes = _ends(application, catalogue, given)
    make_source = partial(ListSource, given)
    catalogue.sources[_SOURCE] = SourceSpec(_SOURCE, make_source, True, None, gives, None)
    catalogue.sinks[_SINK] = SinkSpec(_SINK, lambda: sink, True, None, takes, None)
    spec = ApplicationSpec(
        scenario=application.scenario,
        discovery_modules=application.discovery_modules,
        nodes={**application.nodes, **nodes},
        services={**application.services, **(service_settings or {})},
        source=AdapterSettings(_SOURCE),
        sink=AdapterSettings(_SINK),
        failure=application.failure,
    )
    context = ApplicationContext(spec, catalogue=catalogue, given=answers(catalogue, services))
    if faults := [*context.service_check_faults()]:
        raise PreflightError(faults)
    return context, sink


def _spec_of(application: Application) -> ApplicationSpec:
    if isinstance(application, ApplicationSpec):
        return application
    named = isinstance(application, Sequence) and all(isinstance(n, str) for n in application)
    if not named:
        wanted = (
            "names of modules, or an ApplicationSpec: that of a configuration is"
            " sk_supervisor.application_spec(config)"
        )
        got = type(application).__qualname__
        raise PreflightError([Fault("application", "wrong_type", wanted, got)])
    roots = [application] if isinstance(application, str) else list(application)
    return ApplicationSpec(scenario="test", discovery_modules=roots)


def _ends(
    spec: ApplicationSpec, catalogue: Catalogue, payloads: list[Any]
) -> tuple[Emission, Emission]:
    """Return the types that the source emits and the sink consumes.

    :raises PreflightError: when they cannot be determined.
    """
    faults: list[Fault] = []
    gives = _declared("source", spec.source, catalogue.sources, REQUESTS.name, faults)
    takes = _declared("sink", spec.sink, catalogue.sinks, REPLIES.name, faults)
    if faults:
        raise PreflightError(faults)
    # A test may wrap payloads in envelopes, whether or not the application's source does.
    gives = replace(_given(catalogue, payloads) if gives is None else gives, enveloped=True)
    return gives, _taken(catalogue, gives) if takes is None else takes


def _declared(
    role: str,
    choice: AdapterSettings | None,
    known: Mapping[str, AdapterSpec],
    builtin: str,
    faults: list[Fault],
) -> Emission | None:
    """The types of the named adapter, or of all that are known; None if nothing declares them."""
    if choice is not None and choice.name == builtin:
        return None
    if choice is not None and choice.name not in known:
        wanted = one_of(known, choice.name)
        faults.append(Fault(f"adapters.{role}.name", "unknown_adapter", wanted, choice.name))
        return None
    declared = [known[choice.name]] if choice else list(known.values())
    different = {frozenset(t.cls for t in each.payload.types) for each in declared}
    if len(different) > 1:
        call = f"ApplicationSpec(..., {role}=AdapterSettings(NAME))"
        wanted = f"one to be named, by {call}: {one_of(known)}"
        faults.append(Fault(f"adapters.{role}", "missing", wanted, "none, of other types each"))
    return max((d.payload for d in declared), key=lambda e: e.enveloped, default=None)


def _given(catalogue: Catalogue, payloads: list[Any]) -> Emission:
    bare = (p.payload if isinstance(p, Envelope) else p for p in payloads)
    annotated = {t.cls: t for node in catalogue.nodes.values() for t in node.consumes}
    classes = dict.fromkeys(map(type, bare)) or _entrances(catalogue, annotated)
    return Emission(tuple(annotated.get(cls) or PayloadType(cls, cls) for cls in classes))


def _entrances(catalogue: Catalogue, consumed: Iterable[type]) -> dict[type, None]:
    """Return the consumed classes that no node emits, either themselves or as a subclass."""
    nodes = catalogue.nodes.values()
    emissions = [each for node in nodes for each in (node.emits, node.finish or Emission())]
    emitted = {base for each in emissions for t in each.types for base in t.cls.__mro__}
    return dict.fromkeys(cls for cls in consumed if cls not in emitted)


def _taken(catalogue: Catalogue, source: Emission) -> Emission:
    emissions = [source]
    for node in catalogue.nodes.values():
        emissions += [node.emits, node.finish or Emission()]
    consumed = {t.cls for node in catalogue.nodes.values() for t in node.consumes}
    every = dict.fromkeys(t for emission in emissions for t in emission.types)
    return Emission(tuple(t for t in every if consumed.isdisjoint(t.cls.__mro__)))

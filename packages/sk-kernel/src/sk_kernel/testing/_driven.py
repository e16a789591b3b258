"""Driving one source or one sink as the runtime would."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from contextvars import copy_context
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from sk_kernel._adapters.sink import SinkDriver
from sk_kernel._adapters.source import BatchLimits, SourceDriver
from sk_kernel._application.container import Container
from sk_kernel._application.making import made_adapter
from sk_kernel._application.preflight import check_faults
from sk_kernel._batch.flow import Outlet
from sk_kernel._declare.specs import SPEC_ATTRIBUTE, AdapterSpec, Emission, SinkSpec, SourceSpec
from sk_kernel._graph.graph import SINK, SOURCE, Graph
from sk_kernel._record.ids import TraceIds
from sk_kernel.errors import AdapterFailedError, DefinitionError, PreflightError
from sk_kernel.testing._adapters import CollectSink, ListSource
from sk_kernel.testing._emitted import emitted
from sk_kernel.testing._given import given_settings, provided, require_taken

AnyAdapter = TypeVar("AnyAdapter", bound=AdapterSpec)

#: For how long a read is left alone that is to be blocked when its source is interrupted.
_TO_BLOCK_SECONDS: Final = 0.05
#: After an interrupt a run waits no longer for a source.
_TO_RETURN_SECONDS: Final = 1.0
_NO_SOURCE: Final = SourceSpec("none", partial(ListSource, ()), True, None, Emission(), None)
_NO_SINK: Final = SinkSpec("none", CollectSink, True, None, Emission(), None)


class SinkOutcome(NamedTuple):
    """What a sink has to say behind its end: its counters, and where unfinished output is."""

    summary: dict[str, int]
    partial_outputs: tuple[str, ...]


def run_source(
    source: Any,
    *,
    settings: Any = None,
    services: Iterable[object] = (),
    service_settings: Mapping[str, Any] | None = None,
    batch_records: int = 1000,
    interrupt_after: int | None = None,
) -> list[Any]:
    """What a declared source gives until its end, in order: payloads, or envelopes as returned.

    It is checked, made, opened, read, interrupted and closed as in a run.

    :param settings: an instance of the source's model, or a mapping as a configuration has it.
    :param services: instances to inject, by the class that the source asks for or one derived of
        it. A ``@service`` that is needed and not given is checked, made and closed as in a run.
    :param service_settings: those of a ``@service`` that is made, by its name: an instance of its
        model, or a mapping as a configuration has it.
    :param batch_records: how many it may give at a time.
    :param interrupt_after: interrupts it during the read that follows when it has given so many
        payloads: while it waits for the next ones, if it has none. What that read gives counts.
    :raises DefinitionError: when ``source`` is not declared with ``@source``.
    :raises PreflightError: when settings are not right, or its ``check`` refuses them.
    :raises ResolutionError: when something is needed that is not given and is no ``@service``.
    :raises AdapterFailedError: when it raises, or has not come back a second after the interrupt.
    :raises NodeOutputError: when it gives what it does not declare, or what could not go to another
        process, though its class could.
    """
    spec = _spec_of(source, "source", SourceSpec)
    graph = Graph(spec, _NO_SINK, {}, (), ())
    container = provided(spec.name, spec.parameters, services, service_settings)
    limits = BatchLimits(max_records=batch_records)
    with closing(container):
        made = _made(spec, "source", settings, container)
        driver = SourceDriver(graph, made, limits, TraceIds("test"), sampling=False)
        reading = _Reading(driver, Outlet(SOURCE, spec.payload, ()))
        driver.open()
        try:
            reading.read(interrupt_after)
            if not reading.ended:
                _interrupt(driver, reading)
                reading.read()
        finally:
            if not reading.left_behind:
                driver.close()
    return reading.payloads


def run_sink(
    sink: Any,
    *payloads: Any,
    settings: Any = None,
    services: Iterable[object] = (),
    service_settings: Mapping[str, Any] | None = None,
    batch_records: int = 1000,
    abort: bool = False,
) -> SinkOutcome:
    """Write ``payloads`` to a declared sink and commit, or abort, as a run does.

    It is checked, made and opened before, and closed behind that, likewise.

    :param settings: an instance of the sink's model, or a mapping as a configuration has it.
    :param services: instances to inject, by the class that the sink asks for or one derived of it.
        A ``@service`` that is needed and not given is checked, made and closed as in a run.
    :param service_settings: those of a ``@service`` that is made, by its name: an instance of its
        model, or a mapping as a configuration has it.
    :param batch_records: how many it is given at a time.
    :param abort: the run fails, or is stopped, behind the last payload: aborts it instead.
    :raises DefinitionError: when ``sink`` is not declared with ``@sink``.
    :raises PreflightError: when settings are not right, its ``check`` refuses them, or it does
        not take a payload's class.
    :raises ResolutionError: when something is needed that is not given and is no ``@service``.
    :raises AdapterFailedError: when it raises; it has been aborted then, if it was open.
    """
    spec = _spec_of(sink, "sink", SinkSpec)
    require_taken(SINK, spec.payload.types, payloads)
    container = provided(spec.name, spec.parameters, services, service_settings)
    with ExitStack() as ends:
        ends.enter_context(closing(container))
        made = _made(spec, "sink", settings, container)
        driver = SinkDriver(Graph(_NO_SOURCE, spec, {}, (), ()), made)
        ends.enter_context(closing(driver))
        driver.open()
        try:
            for start in range(0, len(payloads), batch_records):
                driver.write(list(payloads[start : start + batch_records]))
            if not abort:
                driver.end(complete=True)
        except BaseException:
            driver.end(complete=False)
            raise
        if abort:
            driver.end(complete=False)
        return SinkOutcome(driver.summary(), driver.partial_outputs() if abort else ())


class _Reading:
    """What a driver has given so far."""

    def __init__(self, driver: SourceDriver, outlet: Outlet) -> None:
        self._driver, self._outlet = driver, outlet
        self.payloads: list[Any] = []
        self.ended = self.left_behind = False
        #: What a read in another thread has raised.
        self.error: BaseException | None = None

    def read(self, count: int | None = None) -> None:
        """Read to the end, or until there are ``count`` payloads."""
        while not self.ended and (count is None or len(self.payloads) < count):
            self.read_once()

    def read_once(self) -> None:
        """Read one batch."""
        batch, payloads = self._driver.read()
        keys: Sequence[int] = range(batch.first, batch.last + 1)
        self.payloads += emitted(self._outlet, keys, payloads)
        self.ended = batch.final

    def try_once(self) -> None:
        """Read one batch, and keep what is raised."""
        try:
            self.read_once()
        except BaseException as error:  # noqa: BLE001 - it is raised in the test's own thread
            self.error = error


def _interrupt(driver: SourceDriver, reading: _Reading) -> None:
    """Interrupt the driver while another thread reads."""
    # With the context variables of this one, as a run's.
    as_here = copy_context().run
    thread = threading.Thread(target=as_here, args=(reading.try_once,), name="source", daemon=True)
    thread.start()
    thread.join(_TO_BLOCK_SECONDS)
    driver.interrupt()
    thread.join(_TO_RETURN_SECONDS)
    reading.left_behind = thread.is_alive()
    if reading.left_behind:
        problem = "read() has not returned a second after interrupt(): a run leaves it behind there"
        raise AdapterFailedError(SOURCE, "end", "TimeoutError", problem)
    if reading.error is not None:
        raise reading.error


def _spec_of(adapter: Any, what: str, kind: type[AnyAdapter]) -> AnyAdapter:
    spec = getattr(adapter, "__dict__", {}).get(SPEC_ATTRIBUTE)
    if not isinstance(spec, kind):
        raise DefinitionError(what, getattr(adapter, "__name__", repr(adapter)), f"has no @{what}")
    return spec


def _made(spec: AdapterSpec, role: str, settings: Any, container: Container) -> Any:
    given = given_settings(spec.settings_model, settings, f"adapters.{role}.settings")
    if faults := [*check_faults(role, spec, given)]:
        raise PreflightError(faults)
    return made_adapter(spec, given, container)

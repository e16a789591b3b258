"""Driving one source or one sink as the runtime does."""

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

#: How long a read is given to block before its source is interrupted.
_TO_BLOCK_SECONDS: Final = 0.05
#: How long a run waits for a read to return after an interrupt.
_TO_RETURN_SECONDS: Final = 1.0
_NO_SOURCE: Final = SourceSpec("none", partial(ListSource, ()), True, None, Emission(), None)
_NO_SINK: Final = SinkSpec("none", CollectSink, True, None, Emission(), None)


class SinkOutcome(NamedTuple):
    """The state of a sink after the run: its counters, and the places of unfinished output."""

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
    """Read a declared source to its end; return its payloads, or envelopes as returned, in order.

    The source is checked, created, opened, read, interrupted and closed as in a run.

    :param settings: an instance of the source's model, or a mapping as in a configuration.
    :param services: instances to inject, for a parameter of their class or of a base class. A
        ``@service`` that is needed and not given is checked, created and closed as in a run.
    :param service_settings: the settings of each ``@service`` that is created, by its name: an
        instance of its model, or a mapping as in a configuration.
    :param batch_records: how many records it may return at a time.
    :param interrupt_after: interrupt the source once it has returned this many payloads, during the
        next read: while that is blocked, if no payload is available. Payloads that this read
        returns are in the result.
    :raises DefinitionError: when ``source`` is not declared with ``@source``.
    :raises PreflightError: when settings are wrong, or its ``check`` rejects them.
    :raises ResolutionError: when something is needed that is not given and is no ``@service``.
    :raises AdapterFailedError: when it raises, or a read has not returned a second after the
        interrupt.
    :raises NodeOutputError: when it returns a payload that it does not declare, or one that cannot
        be sent to another process although its class can.
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
    """Write ``payloads`` to a declared sink, and commit or abort it as a run does.

    The sink is checked, created and opened before that, and closed after it, as in a run.

    :param settings: an instance of the sink's model, or a mapping as in a configuration.
    :param services: instances to inject, for a parameter of their class or of a base class. A
        ``@service`` that is needed and not given is checked, created and closed as in a run.
    :param service_settings: the settings of each ``@service`` that is created, by its name: an
        instance of its model, or a mapping as in a configuration.
    :param batch_records: how many payloads it receives at a time.
    :param abort: abort the sink after the last payload instead, as a run does that fails or is
        stopped.
    :raises DefinitionError: when ``sink`` is not declared with ``@sink``.
    :raises PreflightError: when settings are wrong, its ``check`` rejects them, or it does not
        consume the class of a payload.
    :raises ResolutionError: when something is needed that is not given and is no ``@service``.
    :raises AdapterFailedError: when the sink raises; it was then aborted, if it was open.
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
    """The payloads that a source driver has returned so far."""

    def __init__(self, driver: SourceDriver, outlet: Outlet) -> None:
        self._driver, self._outlet = driver, outlet
        self.payloads: list[Any] = []
        self.ended = self.left_behind = False
        #: The exception of a read in another thread.
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
        """Read one batch, and keep the exception if it raises one."""
        try:
            self.read_once()
        except BaseException as error:  # noqa: BLE001 - it is raised in the test's own thread
            self.error = error


def _interrupt(driver: SourceDriver, reading: _Reading) -> None:
    """Interrupt the source while another thread reads it."""
    # The thread gets this thread's context variables, as in a run.
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

"""Reporting node spans to a tracer of the OpenTracing API. Imported only if configured."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import opentracing
from opentracing.ext import tags
from sk_kernel import NodeSpan

from sk_observability._exporting.exporter import Origin
from sk_observability.errors import ExportFailedError

_REMEMBERED: Final = 65_536
"""The number of recent spans whose tracer context is kept, for references by later spans."""
_PER_SECOND: Final = 1e9
_GLANCE_SECONDS: Final = 0.01


class TracerBridge:
    """A `Sender`: starts and finishes a span of the tracer for each node span, with its times.

    The API does not allow choosing ids. The node span's ids are tags (`trace_id`, `span_id`,
    `parent_id`); a parent or a link that was reported here before is a reference (`child_of`,
    `follows_from`). With a `carrier` (templates in the form from which the tracer extracts
    contexts), other parents and links are references too, and a span without a parent refers to its
    own trace and span id: so one trace spans all processes. `close_seconds` bounds the wait for a
    tracer that closes in a thread of its own.
    """

    def __init__(
        self,
        tracer: Any,
        carrier: Mapping[str, str] | None = None,
        origin: Origin = Origin(),  # noqa: B008 - immutable
        close_seconds: float = 5.0,
    ) -> None:
        self._tracer, self._carrier, self._origin = tracer, carrier, origin
        self._close_seconds = close_seconds
        self._contexts: OrderedDict[str, Any] = OrderedDict()

    def send(self, items: Sequence[NodeSpan]) -> None:
        """Report the spans to the tracer, in this order.

        :raises ExportFailedError: if the tracer raises, with the number of spans reported before.
        """
        for done, span in enumerate(items):
            # A tracer is third-party code: it may raise anything.
            try:
                self._tell(span)
            except Exception as error:
                raise ExportFailedError(type(error).__name__, done) from error

    def finish(self) -> None:
        """Do nothing: there are no retries."""

    def abort(self) -> None:
        """Do nothing: a tracer cannot be interrupted."""

    def close(self) -> None:
        """Call the tracer's `close`, if it has one, so that it sends the spans that it holds.

        If that returns a future (of concurrent.futures, asyncio or Tornado), as in Jaeger's client,
        wait until it is done, at most `close_seconds`.
        """
        close = getattr(self._tracer, "close", None)
        closing = close() if callable(close) else None
        done = getattr(closing, "done", None)
        if callable(done):
            # All three kinds have `done`, for any thread; only the first can be waited for.
            give_up = time.monotonic() + self._close_seconds
            while not done() and time.monotonic() < give_up:
                time.sleep(_GLANCE_SECONDS)

    def _tell(self, span: NodeSpan) -> None:
        started = self._tracer.start_span(
            operation_name=span.name,
            references=self._references(span),
            tags=self._tags(span),
            start_time=span.start_ns / _PER_SECOND,
            ignore_active_span=True,
        )
        if span.error is not None:
            fields = {"event": "error", "error.kind": span.error}
            started.log_kv(fields, timestamp=span.end_ns / _PER_SECOND)
        started.finish(finish_time=span.end_ns / _PER_SECOND)
        self._contexts[span.span_id] = started.context
        if len(self._contexts) > _REMEMBERED:
            self._contexts.popitem(last=False)

    def _references(self, span: NodeSpan) -> list[Any]:
        parent = self._context(span.trace_id, span.parent_id or span.span_id)
        references = [opentracing.child_of(parent)] if parent is not None else []
        links = (self._context(link.trace_id, link.span_id) for link in span.links)
        return references + [opentracing.follows_from(link) for link in links if link is not None]

    def _context(self, trace_id: str, span_id: str) -> Any:
        known = self._contexts.get(span_id)
        if known is not None or self._carrier is None:
            return known
        carrier = {
            name: template.format(trace_id=trace_id, span_id=span_id)
            for name, template in self._carrier.items()
        }
        return self._tracer.extract(opentracing.Format.TEXT_MAP, carrier)

    def _tags(self, span: NodeSpan) -> dict[str, str | int | bool]:
        values: dict[str, str | int | bool | None] = {
            tags.COMPONENT: "stream_kernel",
            tags.SPAN_KIND: None if span.kind == "internal" else span.kind,
            tags.ERROR: True if span.error is not None else None,
            "error.type": span.error,
            "trace_id": span.trace_id,
            "span_id": span.span_id,
            "parent_id": span.parent_id,
            "process_group": span.process_group,
            "handoff_from": span.handoff_from,
            "route_hop": span.route_hop,
            "sequence": span.sequence,
            "worker": self._origin.worker,
            "run_id": self._origin.run_id,
            **span.attributes,
        }
        return {name: value for name, value in values.items() if value is not None}

"""The exporting process as an OpenTelemetry resource and scope."""

from __future__ import annotations

import os
from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from sk_observability._exporting.exporter import Origin
from sk_observability._otlp.settings import OtlpSettings

SCOPE: Final = InstrumentationScope("sk_observability")
"""Names this package as the source of the spans, log records and metrics."""


_SERVICE: Final = "stream-kernel"
_NAMELESS: Final = "unknown_service"
"""The prefix of OpenTelemetry's default name for a service without a configured name."""


class _OwnResource(Resource):
    """A resource with a cached hash: the encoder, which groups spans by it, hashes it each time."""

    def __init__(self, made: Resource) -> None:
        super().__init__(made.attributes, made.schema_url)
        self._hash = super().__hash__()

    def __hash__(self) -> int:
        return self._hash


def resource_of(settings: OtlpSettings, origin: Origin) -> Resource:
    """Return this process's resource: configured attributes, its identity, and the environment's.

    It is the same for spans, log records and metrics, so that a receiver can relate them.
    `service.instance.id` is the worker's id: its group, its index and its incarnation.
    `stream_kernel.run.id` is the run's id, for which OpenTelemetry's conventions have no name.
    """
    instance = {"service.instance.id": origin.worker} if origin.worker else {}
    run = {"stream_kernel.run.id": origin.run_id} if origin.run_id else {}
    return _OwnResource(
        Resource.create(
            {
                "service.name": settings.service_name or _usual_name(),
                **settings.resource,
                **instance,
                **run,
                "process.pid": os.getpid(),
            }
        )
    )


def _usual_name() -> str:
    """Return the name in `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES`, else our default."""
    found = str(Resource.create().attributes.get("service.name", _NAMELESS))
    return _SERVICE if found.startswith(_NAMELESS) else found

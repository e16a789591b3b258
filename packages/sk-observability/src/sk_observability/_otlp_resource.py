"""Who exports, in OpenTelemetry's terms."""

from __future__ import annotations

import os
from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from sk_observability._exporter import Origin
from sk_observability._otlp_settings import OtlpSettings

SCOPE: Final = InstrumentationScope("sk_observability")
"""What made the spans and the log records."""


class _OwnResource(Resource):
    """A resource that is hashed once: the encoder groups spans by theirs, and asks each time."""

    def __init__(self, made: Resource) -> None:
        super().__init__(made.attributes, made.schema_url)
        self._hash = super().__hash__()

    def __hash__(self) -> int:
        return self._hash


def resource_of(settings: OtlpSettings, origin: Origin) -> Resource:
    """Give this process as a resource: what is configured, what it is, what the environment adds.

    `service.instance.id` is the worker's id: its group, its index and its incarnation.
    """
    instance = {"service.instance.id": origin.worker} if origin.worker else {}
    return _OwnResource(
        Resource.create(
            {
                "service.name": settings.service_name,
                **settings.resource,
                **instance,
                "process.pid": os.getpid(),
            }
        )
    )

"""What a scrape is answered with; the library that writes it is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from sk_observability._exporting.exporter import Extra
from sk_observability._exporting.kinds import is_installed
from sk_observability._metrics.metric import MetricsSnapshot

_EXTRA: Final = Extra("sk-observability[prometheus]", ("prometheus_client",))


class Exposition(msgspec.Struct, frozen=True):
    """Metrics as text, and the media type of it."""

    body: bytes
    content_type: str


def can_expose() -> bool:
    """Whether what `prometheus_exposition` needs, the extra `prometheus`, is installed."""
    return is_installed(_EXTRA)


def prometheus_exposition() -> Callable[[MetricsSnapshot], Exposition]:
    """Give what writes a snapshot in Prometheus's text format.

    :raises ImportError: without the extra `prometheus`.
    """
    from sk_observability._metrics.prometheus import CONTENT_TYPE, prometheus_text

    return lambda snapshot: Exposition(prometheus_text(snapshot), CONTENT_TYPE)

"""The response to a Prometheus scrape; the library that formats it is imported on first use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from sk_observability._exporting.exporter import Extra
from sk_observability._exporting.kinds import is_installed
from sk_observability._metrics.metric import MetricsSnapshot

_EXTRA: Final = Extra("sk-observability[prometheus]", ("prometheus_client",))


class Exposition(msgspec.Struct, frozen=True):
    """Metrics as text, and its media type."""

    body: bytes
    content_type: str


def can_expose() -> bool:
    """Whether the extra `prometheus`, which `prometheus_exposition` needs, is installed."""
    return is_installed(_EXTRA)


def prometheus_exposition() -> Callable[[MetricsSnapshot], Exposition]:
    """Return a function that formats a snapshot in Prometheus's text format.

    :raises ImportError: if the extra `prometheus` is not installed.
    """
    from sk_observability._metrics.prometheus import CONTENT_TYPE, prometheus_text

    return lambda snapshot: Exposition(prometheus_text(snapshot), CONTENT_TYPE)

"""Sources without an end, beside those of ``supervised_app``, for its nodes and sink."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from sk_kernel import source
from supervised_app import Number, Numbers, NumbersSettings
from supervised_deeds import tell


@source(name="unbounded", stage="ingress", unbounded=True)
class Unbounded(Numbers):
    """Waits for an interrupt behind its last number."""


@source(name="deaf", stage="ingress", unbounded=True)
def deaf(settings: NumbersSettings) -> Iterator[Number]:
    """Waits behind its last number, and heeds no interrupt."""
    for n in range(1, settings.count + 1):
        yield Number(n)
    tell(settings.ears, "waiting")
    threading.Event().wait()

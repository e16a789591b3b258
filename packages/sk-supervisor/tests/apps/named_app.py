"""An application whose source names the traces of its records itself."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from sk_kernel import Envelope, node, sink, source


class Order(msgspec.Struct, frozen=True):
    n: int


class Picked(msgspec.Struct, frozen=True):
    n: int


class NamedSettings(msgspec.Struct, forbid_unknown_fields=True):
    traces: tuple[str, ...]


class PickSettings(msgspec.Struct, forbid_unknown_fields=True):
    bad: int = 0


@source()
def named(settings: NamedSettings) -> Iterator[Envelope[Order]]:
    for n, trace in enumerate(settings.traces, 1):
        yield Envelope(Order(n), trace_id=trace or None)


@node
def pick(order: Order, settings: PickSettings) -> Picked:
    if order.n == settings.bad:
        raise ValueError(f"payload {order.n} is secret")
    return Picked(order.n)


@sink()
def picked(order: Picked) -> None: ...

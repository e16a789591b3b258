"""Exporters and kinds of exporters: the interfaces that another package implements."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

import msgspec

from sk_observability._exporting.account import Account
from sk_observability.errors import ExporterFault

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

Settings = Mapping[str, object]
"""An exporter's `settings` in the configuration."""


class Exporter(Protocol[T_contra]):
    """Exports lifecycle events, node spans or metric snapshots.

    An `Outlet` makes one call at a time. An exporter that a kind builds may block: it is called in
    a thread of its own, unless it is a `DeferredExporter`.
    """

    def export(self, items: Sequence[T_contra]) -> None:
        """Export the items, in this order. The caller catches and counts what this raises.

        :raises ExportFailedError: with the number of items that went out, and the reason under
            which the others are counted.
        """

    def close(self) -> None:
        """Export the items still held and release resources; called once, after all other calls."""


@runtime_checkable
class DeferredExporter(Exporter[T_contra], Protocol[T_contra]):
    """An exporter that sends later: it takes items without waiting, and keeps an account of them.

    If `export` raises, it has taken none of the items. After `close`, later changes of the account
    are ignored: items that are then neither sent nor lost are counted as dropped.
    """

    account: Account

    def finish(self) -> None:
        """Begin to export the items still held, and return at once. `close` follows, and waits.

        `finish` is called on all exporters of a run before `close` is called on the first, so that
        closing them takes as long as the slowest, not the sum.
        """


@runtime_checkable
class HurriedExporter(Protocol):
    """An optional extension of a `DeferredExporter`: its time to close can be shortened."""

    def close_within(self, seconds: float) -> None:
        """Take at most this long, from now on, to finish and close. Returns at once."""


class Origin(msgspec.Struct, frozen=True):
    """Where an exporter runs, and the longest that its `close` may take, whatever its settings say.

    `worker` is the id of the worker (group, index and incarnation), `run_id` that of the run; None
    if it is not known.
    """

    worker: str | None = None
    close_seconds: float = math.inf
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Extra:
    """The optional modules that a kind needs, and the name of the extra that provides them."""

    name: str
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExporterKind(Generic[T]):
    """A kind of exporter; another package offers one as an entry point.

    `check` returns every fault of the settings, with paths relative to them, and has no side
    effects: it runs in the preflight. `build` is called with settings that passed `check`, in the
    process that exports, and blocks that process. `extra` names optional modules that the kind
    needs; neither `check` nor `build` is called unless they are installed.
    """

    check: Callable[[Settings], Iterable[ExporterFault]]
    build: Callable[[Settings, Origin], Exporter[T]]
    extra: Extra | None = None

"""What an exporter is, and what a kind of exporter is: all that another package implements."""

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
    """Passes lifecycle events or node spans on. An `Outlet` calls it, one call at a time.

    One that a kind builds is called in a thread of its own, unless it is a `DeferredExporter`: it
    may take its time.
    """

    def export(self, items: Sequence[T_contra]) -> None:
        """Pass the items on, in this order; whatever this raises is counted and goes no further.

        :raises ExportFailedError: to say how many did go out, and what to count the rest under.
        """

    def close(self) -> None:
        """Pass on what is held and let go of resources; called once, and nothing comes after."""


@runtime_checkable
class DeferredExporter(Exporter[T_contra], Protocol[T_contra]):
    """An exporter that sends later: it takes items without waiting, and keeps an account of them.

    What `export` raises on is not taken. After `close` the account changes no more, or is not
    looked at: what it has neither as sent nor as lost is counted as dropped.
    """

    account: Account

    def finish(self) -> None:
        """Begin to pass on what is held, and return at once. `close` follows, and waits.

        All exporters of a run are told before the first is waited for, so that the time which they
        take to close is that of the slowest, not the sum.
        """


@runtime_checkable
class HurriedExporter(Protocol):
    """What a `DeferredExporter` may also be: one whose time to close can be cut."""

    def close_within(self, seconds: float) -> None:
        """From now on, take no longer than this to finish and close. Returns at once."""


class Origin(msgspec.Struct, frozen=True):
    """Where an exporter runs, and how long its `close` may take, whatever its settings say.

    `worker` is the id of the worker (group, index and incarnation), `run_id` that of the run; None
    where they are not known.
    """

    worker: str | None = None
    close_seconds: float = math.inf
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Extra:
    """What must be installed for a kind: modules, and the name of what brings them."""

    name: str
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExporterKind(Generic[T]):
    """A kind of exporter: what the entry point of another package's kind refers to.

    `check` gives every fault of the settings, with paths relative to them, and changes nothing: it
    runs in the preflight, where nothing may be made yet. `build` is called with settings that
    passed it, in the process that exports, which waits for it. Where a kind needs what may not be
    there, `extra` says so, and neither `check` nor `build` is called without it.
    """

    check: Callable[[Settings], Iterable[ExporterFault]]
    build: Callable[[Settings, Origin], Exporter[T]]
    extra: Extra | None = None

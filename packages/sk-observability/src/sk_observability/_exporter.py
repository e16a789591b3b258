"""What an exporter is, and what a kind of exporter is: all that another package implements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from sk_observability.errors import ExporterFault

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

Settings = Mapping[str, object]
"""An exporter's `settings` in the configuration."""


class Exporter(Protocol[T_contra]):
    """Passes lifecycle events or node spans on. An `Outlet` calls it, one call at a time."""

    def export(self, items: Sequence[T_contra]) -> None:
        """Pass the items on, in this order; whatever this raises is counted and goes no further.

        :raises ExportFailedError: to say how many did go out, and what to count the rest under.
        """

    def close(self) -> None:
        """Pass on what is held and let go of resources; called once, and nothing comes after."""


class Origin(msgspec.Struct, frozen=True):
    """Where an exporter runs: in which worker, or (None) in the supervisor or a memory run."""

    worker: str | None = None


@dataclass(frozen=True, slots=True)
class ExporterKind(Generic[T]):
    """A kind of exporter: what the entry point of another package's kind refers to.

    `check` gives every fault of the settings, with paths relative to them, and changes nothing: it
    runs in the preflight, where nothing may be made yet. `build` is called with settings that
    passed it, in the process that exports.
    """

    check: Callable[[Settings], Iterable[ExporterFault]]
    build: Callable[[Settings, Origin], Exporter[T]]

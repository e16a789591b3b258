"""Lookup of a kind of exporter by its name: built in, or an entry point of another package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from sk_kernel.runtime import one_of

from sk_observability._exporting.exporter import ExporterKind, Extra
from sk_observability._exporting.reasons import CONTAINED
from sk_observability.errors import ExporterFault

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


class Kinds(Generic[T]):
    """The kinds for one sort of item: the built-in ones, and the entry points of a group."""

    def __init__(self, group: str, built_in: Mapping[str, Callable[[], ExporterKind[T]]]) -> None:
        self._group, self._built_in = group, built_in

    def find(self, name: str, path: str) -> ExporterKind[T] | ExporterFault:
        """Return the kind of this name, or the fault of naming it, reported at `path`."""
        kind = self._find(name, path)
        if isinstance(kind, ExporterFault) or kind.extra is None or is_installed(kind.extra):
            return kind
        needs = f"a kind that is installed: pip install '{kind.extra.name}'"
        return _unavailable(path, needs, name, "what it needs is not installed")

    def _find(self, name: str, path: str) -> ExporterKind[T] | ExporterFault:
        if built_in := self._built_in.get(name):
            return built_in()
        # Imported only when needed: the import and the scan of installed packages are slow.
        from importlib.metadata import entry_points

        offered = entry_points(group=self._group)
        found = {point.value: point for point in offered.select(name=name)}
        if len(found) == 1:
            return self._load(next(iter(found.values())), path)
        known = one_of({*self._built_in, *offered.names}, name)
        return _unavailable(path, known, name, _providers(found))

    def _load(self, point: EntryPoint, path: str) -> ExporterKind[T] | ExporterFault:
        expected = "a kind whose package can be imported"
        # Importing runs another package's code: an exception there is reported as a fault.
        try:
            kind = point.load()
        except ImportError as error:
            needs = error.name or "what it imports"
            return _unavailable(path, expected, point.name, f"{point.value} needs {needs}")
        except CONTAINED as error:
            problem = f"{point.value} raised {type(error).__name__}"
            return _unavailable(path, expected, point.name, problem)
        if isinstance(kind, ExporterKind):
            return kind
        return _unavailable(path, expected, point.name, f"{point.value} is no ExporterKind")


def is_installed(extra: Extra) -> bool:
    """Whether every module of an extra is installed; imports none of them."""
    from importlib.util import find_spec

    try:
        return all(find_spec(module) is not None for module in extra.modules)
    except ModuleNotFoundError:  # a parent package is not installed
        return False


def _providers(found: Iterable[str]) -> str:
    values = " and ".join(sorted(found))
    return f"it is provided by {values}" if values else "no installed package provides it"


def _unavailable(path: str, expected: str, name: str, problem: str) -> ExporterFault:
    return ExporterFault(path, "unavailable", expected, f"{name!r}: {problem}")

"""A span, an event, and exporters that fail as told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
from sk_kernel import LifecycleEvent, NodeSpan

T = TypeVar("T")


class Keeping(Generic[T]):
    """Keeps what it is given; raises the planned failure of each call, if there is one."""

    def __init__(self, *plan: Exception | None, at_close: Exception | None = None) -> None:
        self.items: list[T] = []
        self.closed = 0
        self._plan = iter(plan)
        self._at_close = at_close

    def export(self, items: Sequence[T]) -> None:
        if failure := next(self._plan, None):
            raise failure
        self.items += items

    def close(self) -> None:
        self.closed += 1
        if self._at_close:
            raise self._at_close


@pytest.fixture
def keeping() -> type[Keeping[Any]]:
    """Makes exporters that keep items, and fail as planned."""
    return Keeping


@pytest.fixture
def span() -> Callable[..., NodeSpan]:
    """Makes spans."""

    def make(sequence: int = 1, **other: Any) -> NodeSpan:
        facts: dict[str, Any] = {
            "trace_id": f"{sequence:032x}",
            "span_id": f"{sequence:016x}",
            "parent_id": None,
            "name": "parse",
            "process_group": "ingress",
            "route_hop": 0,
            "handoff_from": None,
            "start_ns": 1_000,
            "end_ns": 3_500,
        }
        return NodeSpan(sequence=sequence, **{**facts, **other})

    return make


@pytest.fixture
def event() -> Callable[..., LifecycleEvent]:
    """Makes events."""

    def make(sequence: int = 1, **other: Any) -> LifecycleEvent:
        facts: dict[str, Any] = {"time_ns": 0, "name": "worker_ready", "correlation_id": "run-1"}
        return LifecycleEvent(sequence=sequence, **{**facts, **other})

    return make


@pytest.fixture
def lines_of() -> Callable[[Path], list[dict[str, Any]]]:
    """Reads a JSONL file."""

    def read(path: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

    return read


@pytest.fixture
def installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str, str], None]]:
    """Installs a package as an installer does: a module, and metadata with an entry point.

    Called with the group of the entry point, its line, and the source of the module `other_kinds`.
    """
    import sys

    def install(group: str, line: str, source: str, name: str = "other-kinds") -> None:
        site = tmp_path / "site" / name
        info = site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{line}\n")
        (site / "other_kinds.py").write_text(source)
        monkeypatch.syspath_prepend(str(site))

    yield install
    sys.modules.pop("other_kinds", None)

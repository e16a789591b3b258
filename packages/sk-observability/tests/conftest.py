"""A span, an event, and exporters that fail as told."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
from sk_kernel import LifecycleEvent, NodeSpan

T = TypeVar("T")

PATIENCE = 30.0


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


class Sending:
    """A sender that keeps batches; fails as planned, and waits for its gate where it has one.

    `blocked` are the signals that are kept from the thread that sends.
    """

    def __init__(
        self, plan: Sequence[Exception | None] = (), gate: threading.Event | None = None
    ) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.gate = threading.Event(), gate
        self.aborted = self.closed = 0
        self.blocked: set[int] = set()
        self._plan = iter(plan)

    def send(self, items: Sequence[int]) -> None:
        self.begun.set()
        self.blocked |= signal.pthread_sigmask(signal.SIG_BLOCK, ())
        if self.gate is not None:
            self.gate.wait(PATIENCE)
        if failure := next(self._plan, None):
            raise failure
        self.batches.append(list(items))

    def finish(self) -> None:
        """There are no pauses."""

    def abort(self) -> None:
        self.aborted += 1

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(scope="session")
def sending() -> type[Sending]:
    """Makes senders, for exporters that have a queue."""
    return Sending


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
def in_time() -> Callable[[Callable[[], Any]], None]:
    """Does what must not wait for something that takes longer; fails if it does."""

    def end(do: Callable[[], Any]) -> None:
        done: Future[Any] = Future()

        def work() -> None:
            try:
                done.set_result(do())
            except BaseException as error:  # noqa: BLE001 - it is raised to who asked
                done.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        done.result(PATIENCE)

    return end


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], None]:
    """Waits for what another thread brings about and nobody tells of."""

    def wait(holds: Callable[[], Any]) -> None:
        end, never = time.monotonic() + PATIENCE, threading.Event()
        while not holds():
            assert time.monotonic() < end
            never.wait(0.002)

    return wait


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

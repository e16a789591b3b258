"""The law of failure policies: a run is the run without the records that are given up."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernel_spans import Deaf
from sk_kernel import (
    AdapterSettings,
    ApplicationSpec,
    DeadLetter,
    DeadLetterError,
    FailureSpec,
    NodeFailure,
    read_letter,
)
from sk_kernel._letters.letters import written_letter
from sk_kernel.runtime import MemoryRun
from sk_kernel.testing import run_application, run_placed
from sk_kernel.testing._applications import substituted

NAME = "declared_for_the_laws_of_failure"
NODES = ("n0", "n1", "n2", "n3")

APP = """
import msgspec
from collections.abc import Iterator
from sk_kernel import node, sink, source

class P0(msgspec.Struct, frozen=True):
    n: int

class P1(msgspec.Struct, frozen=True):
    n: int

class P2(msgspec.Struct, frozen=True):
    n: int

class P3(msgspec.Struct, frozen=True):
    n: int

class P4(msgspec.Struct, frozen=True):
    n: int

bad = {}
calls = []

def look(name, payload):
    calls.append(name)
    if payload.n in bad.get(name, ()): raise ValueError(payload)

@source()
def numbers() -> Iterator[P0]:
    yield from ()

@sink()
def out(p: P4) -> None:
    pass

@node
def n0(p: P0) -> P1:
    look("n0", p)
    return P1(p.n)

@node
def n1(p: P1) -> P2 | P3:
    look("n1", p)
    return P2(p.n) if p.n % 2 else P3(p.n)

@node
async def n2(p: P2) -> P4:
    look("n2", p)
    return P4(p.n)

@node
def n3(p: P3) -> P4 | None:
    look("n3", p)
    return P4(p.n) if p.n % 3 else None
"""


@pytest.fixture(scope="module")
def app() -> Iterator[ModuleType]:
    """The application, a pure one: nobody remembers a record."""
    module = ModuleType(NAME)
    sys.modules[NAME] = module
    exec(APP, vars(module))  # noqa: S102 - the text above
    yield module
    del sys.modules[NAME]


policies = st.builds(NodeFailure, st.sampled_from(["dead_letter", "skip"]), st.integers(1, 3))
numbers = st.frozensets(st.integers(1, 30), max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    own=st.fixed_dictionaries(dict.fromkeys(NODES, policies)),
    bad=st.fixed_dictionaries({}, optional=dict.fromkeys(NODES, numbers)),
    count=st.integers(0, 30),
    batch=st.integers(1, 12),
    groups=st.fixed_dictionaries(dict.fromkeys(NODES, st.sampled_from(["main", "a", "b"]))),
    workers=st.integers(1, 3),
    sampling=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_a_run_is_the_run_without_what_is_given_up(
    app: ModuleType,
    own: dict[str, NodeFailure],
    bad: dict[str, frozenset[int]],
    count: int,
    batch: int,
    groups: dict[str, str],
    workers: int,
    sampling: float,
) -> None:
    vars(app).update(bad={})
    app.calls.clear()
    payloads = [app.P0(n) for n in range(1, count + 1)]
    lost = {n: _loses(bad, n) for n in range(1, count + 1)}
    well = [p for p in payloads if lost[p.n] is None]
    expected = run_application(_spec(FailureSpec()), well)
    vars(app).update(bad=bad)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "dead")
        spec = _spec(FailureSpec(nodes=own, dead_letters=str(path)))
        assert run_application(spec, payloads, batch_records=batch) == expected
        first = path.read_bytes() if spec.failure.writes else b""
        letters = [read_letter(line) for line in first.splitlines()]
        _counts_add_up(app, spec, payloads, lost, [(x.sequence, x.node) for x in letters])
        observed = {"observers": [Deaf()], "sampling_ratio": sampling} if sampling else {}
        several = dict.fromkeys({"a", "b"} & set(groups.values()), workers)
        placed = run_placed(
            spec, payloads, groups, workers=several, batch_records=batch, **observed
        )
        assert placed == expected
        assert (path.read_bytes() if spec.failure.writes else b"") == first


def _spec(failure: FailureSpec) -> ApplicationSpec:
    return ApplicationSpec(
        scenario="laws",
        discovery_modules=[NAME],
        source=AdapterSettings("numbers"),
        sink=AdapterSettings("out"),
        failure=failure,
    )


def _counts_add_up(
    app: ModuleType,
    spec: ApplicationSpec,
    payloads: list[Any],
    lost: dict[int, str | None],
    letters: list[tuple[int, str]],
) -> None:
    app.calls.clear()
    report = MemoryRun(substituted(spec, payloads, {})[0], "r1").run()
    gone = [(n, name) for n, name in lost.items() if name is not None]
    dead = [(n, name) for n, name in gone if spec.failure.of(name).policy == "dead_letter"]
    assert letters == dead
    assert (report.dead_lettered, report.skipped) == (len(dead), len(gone) - len(dead))
    for name in NODES:
        again = sum(spec.failure.of(name).attempts - 1 for _, node in gone if node == name)
        reached = [n for n in lost if name in _way(n) and lost[n] not in _way(n)[: _at(name, n)]]
        assert app.calls.count(name) == len(reached) + again


def _way(n: int) -> tuple[str, ...]:
    return ("n0", "n1", "n2" if n % 2 else "n3")


def _at(name: str, n: int) -> int:
    return _way(n).index(name)


def _loses(bad: dict[str, frozenset[int]], n: int) -> str | None:
    return next((name for name in _way(n) if n in bad.get(name, ())), None)


def test_a_letter_with_any_byte_changed_is_a_letter_or_a_typed_error() -> None:
    told = DeadLetter(
        sequence=12,
        node="work",
        cause="ValueError",
        attempts=2,
        trace_id="0af7",
        run_id="r1",
        key=(12, 3),
        type="app.Odd",
        payload=b"\x81\xa1n\x0c",
        headers={"tenant": "secret"},
    )
    line = written_letter(told)
    letters, refusals = 0, set()
    for at in range(len(line)):
        for byte in range(256):
            try:
                letter = read_letter(line[:at] + bytes([byte]) + line[at + 1 :])
            except DeadLetterError as error:
                refusals.add(str(error))
            else:
                letters += 1
                assert read_letter(written_letter(letter)) == letter
    assert letters > len(line)  # the unchanged line is among them once for each byte
    assert refusals
    assert not any("secret" in refusal for refusal in refusals)

"""What is kept of a worker's standard error: the last lines, and of a dump the first."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_supervisor._lives.evidence import last_bytes
from sk_supervisor._processes.tail import TAIL_LINES, Tail
from supervisor_harness import ONE_GROUP, PATIENT, supervised

LONGEST = 200
OWN = '  File "/app/nodes.py", line 12 in price'
HEAD = ["Fatal Python error: Segmentation fault", "", "Stack (most recent call first):", OWN]


def kept(*lines: str) -> list[str]:
    tail = Tail(LONGEST)
    for line in lines:
        tail.add(line)
    return list(tail.lines())


def frames(count: int, length: int = 80) -> list[str]:
    return [f'  File "{n:03}.py", line {n} in f'.ljust(length, ".") for n in range(count)]


def test_of_a_dump_the_innermost_calls_are_kept() -> None:
    lines = kept("before", *HEAD, *frames(60), "", "Extension modules: a, b (total: 2)")
    assert lines[:5] == ["before", *HEAD]
    assert lines[5:] == [*frames(12), "  ..."]


def test_of_the_dumps_of_several_threads_the_first_is_kept() -> None:
    others = [line for _ in range(9) for line in ("Thread 0x1 (most recent call first):", OWN, "")]
    head = ["Current thread 0x2 (most recent call first):", OWN, ""]
    assert kept(*head, *frames(20), *others)[:3] == head


@given(st.integers(1, LONGEST - 1), st.integers(0, 100), st.integers(0, 5))
def test_what_is_kept_of_a_dump_fits_into_an_event(length: int, count: int, before: int) -> None:
    lines = kept(*["."] * before, *HEAD, *frames(count, length))
    assert len(lines) <= TAIL_LINES
    assert HEAD[0] in last_bytes(lines).splitlines()
    assert OWN in last_bytes(lines).splitlines()


def test_a_line_of_a_dump_that_was_cut_into_several_is_of_the_dump_to_its_end() -> None:
    modules = "Extension modules: ".ljust(LONGEST, "m")
    lines = kept(*HEAD, "", *[modules, "m" * LONGEST] * 9, "m")
    assert lines[: len(HEAD)] == HEAD
    assert lines[-1] == "  ..."


def test_what_comes_behind_a_dump_are_last_lines_again() -> None:
    dump = [*HEAD, *frames(60), ""]
    assert kept(*dump, "behind it")[-2:] == ["  ...", "behind it"]
    assert kept(*dump, "behind it", *dump) == kept("x", *dump, "behind it", *dump)[-TAIL_LINES:]
    assert kept(*dump, *map(str, range(60))) == [str(n) for n in range(60 - TAIL_LINES, 60)]


@pytest.mark.contract("P5PRE-LIFE-03")
def test_a_crash_in_c_code_says_in_the_event_and_the_error_which_node_it_was(
    target: Path,
) -> None:
    work = {"at": 5, "do": "crash"}
    with supervised(target, groups=ONE_GROUP, work=work, every_group=PATIENT) as run:
        error = run.fails()
        [event] = run.events("worker_failed")
    told = str(event.fields["stderr_tail"]).splitlines()
    for lines in (told, error.stderr_tail):
        assert any("supervised_deeds.py" in line and "in _crash" in line for line in lines)
        assert len(lines) <= TAIL_LINES

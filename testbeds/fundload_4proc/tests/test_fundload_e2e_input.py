"""Whatever the input holds: the same bytes from both profiles as from the reference."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from e2e_bench import Bench, each_profile, reference, run_options
from e2e_lines import UNREADABLE
from e2e_run import Ended, peak_mib
from fundload_reference import MAX_LINE_BYTES
from reference_bench import load

MARK = b"\xef\xbb\xbf"
MEMORY_MIB = 250
MEBIBYTE = 1024 * 1024


class Odd(NamedTuple):
    """What came of a run on odd lines, which is what the reference makes of them."""

    decisions: list[bytes]
    rejects: list[bytes]


def adjudicated(bench: Bench, profile: str, data: bytes, rules: str = "exp_mp") -> Ended:
    """Run on `data`, and hold that output and rejects are the reference's."""
    bench.write("in", data)
    files = {"input": "in", "output": "out", "rejects": "rejects"}
    ended = bench.run(*run_options(rules, profile, **files), "--quiet")
    assert (ended.code, ended.output, ended.said) == (0, b"", "")
    expected = reference(data, rules)
    assert bench.read("out") == expected.output
    assert bench.read("rejects") == expected.rejects
    return ended


@pytest.fixture(scope="module", params=["memory", "multiprocess"])
def odd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odd]:
    """One run on everything that a line can be and should not."""
    bench = Bench(tmp_path_factory.mktemp("odd"))
    data = b"".join(part + b"\n" for part in (unreadable(), too_long(), damaged()))
    adjudicated(bench, request.param, data, "baseline")
    yield Odd(*(bench.read(name).splitlines() for name in ("out", "rejects")))
    bench.close()


def unreadable() -> bytes:
    """Each kind of unreadable line stands before a good one."""
    return b"\n".join(
        bad + b"\n" + load(id=number, customer=number)
        for number, (bad, _) in enumerate(UNREADABLE, 10)
    )


def too_long() -> bytes:
    """Lines too long to be held, and so to be told from one with nothing but white space in it."""
    return b" " * (MAX_LINE_BYTES + 1) + b"\n" + b" " * MAX_LINE_BYTES + load()


def damaged() -> bytes:
    """Bytes at random, lines that are cut and begin with another byte, and good ones."""
    noise = random.Random(7)
    good = [load(id=number) for number in range(300)]
    cut = [bytes(noise.choices(line, k=1)) + line[: noise.randrange(len(line))] for line in good]
    return noise.randbytes(100_000) + b"\n".join([*cut, *good])


@pytest.mark.contract("P5PRE-SMOKE-02")
def test_every_kind_of_unreadable_line_is_declined_with_its_reason(odd: Odd) -> None:
    """The good ones between them come out as if they were not there."""
    kinds = len(UNREADABLE)
    rejects = [json.loads(line) for line in odd.rejects[:kinds]]
    assert [(reject["line_no"], reject["reason"]) for reject in rejects] == [
        (2 * place + 1, reason) for place, (_, reason) in enumerate(UNREADABLE)
    ]
    decisions = [json.loads(line) for line in odd.decisions[: 2 * kinds]]
    assert [decision["accepted"] for decision in decisions] == [False, True] * kinds


def test_a_long_line_is_not_lost_for_the_white_space_that_it_begins_with(odd: Odd) -> None:
    kinds = len(UNREADABLE)
    for place, line in enumerate(odd.rejects[kinds : kinds + 2], 2 * kinds + 1):
        reject = json.loads(line)
        assert (reject["line_no"], reject["reason"]) == (place, "INPUT_PARSE_ERROR")


def test_bytes_at_random_are_survived(odd: Odd) -> None:
    """Of the good lines behind them none is declined for what it holds."""
    last = [json.loads(line)["id"] for line in odd.decisions[-300:]]
    assert last == [str(number) for number in range(300)]


@each_profile
@pytest.mark.parametrize("data", [b"", MARK + b"\r\n \t\n\r\n  "], ids=["no byte", "blank lines"])
def test_a_file_of_nothing_gives_empty_files(bench: Bench, profile: str, data: bytes) -> None:
    adjudicated(bench, profile, data)
    assert (bench.read("out"), bench.read("rejects")) == (b"", b"")


@each_profile
def test_mark_crlf_and_a_last_line_without_end_are_no_part_of_a_line(
    bench: Bench, profile: str, dirty: bytes
) -> None:
    """The output is that of the same lines in their plain form."""
    lines = [line.rstrip(b"\r") for line in dirty.removeprefix(MARK).split(b"\n")[:200]]
    adjudicated(bench, profile, MARK + b"\r\n".join(lines))
    assert bench.read("out") == reference(b"".join(line + b"\n" for line in lines)).output


@each_profile
def test_a_line_of_100_megabytes_is_declined_and_never_held(bench: Bench, profile: str) -> None:
    """Looked at while every process of the run is alive, and has answered the line behind it."""
    giant = b"x" * 100_000_000
    data = load() + b"\n" + giant + b"\n" + load(id=2) + b"\n"
    run = bench.start(*run_options("exp_mp", profile, input="-", output="-"), "--quiet")
    run.feed(data)
    answers = run.lines(3)
    peaks = {process.pid: peak_mib(process) for process in (run.process, *run.workers().values())}
    assert len(peaks) == (5 if profile == "multiprocess" else 1)
    assert max(peaks.values()) < MEMORY_MIB
    ended = bench.finish(run)
    assert (ended.code, ended.said) == (0, "")
    assert [line + b"\n" for line in answers] == reference(data).output.splitlines(keepends=True)


@each_profile
def test_a_file_of_many_long_lines_is_never_held(bench: Bench, profile: str) -> None:
    """300 MB, as holes in a file: lines of 2 MiB, of each of which a reader may hold the half."""
    lines = 150
    fill_with_holes(bench.folder / "in", lines)
    options = run_options("exp_mp", profile, input="in", output="out")
    ended, measured = bench.measure(*options, "--quiet")
    assert (ended.code, ended.said) == (0, "")
    assert bench.read("out") == b'{"id":"","customer_id":"","accepted":false}\n' * lines
    assert max(measured) < MEMORY_MIB


def fill_with_holes(path: Path, lines: int) -> None:
    with path.open("wb") as file:
        for _ in range(lines):
            file.seek(2 * MEBIBYTE, 1)
            file.write(b"\n")

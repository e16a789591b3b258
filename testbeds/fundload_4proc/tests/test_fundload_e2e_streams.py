"""Input and output that are no files: standard streams, pipes, devices."""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path

from e2e_bench import Bench, each_profile, reference, run_options
from e2e_run import PATIENCE_SECONDS
from reference_bench import load

LINES = [load(id=1), b"no json", load(id=3, customer=2), load(id=3), b"\xff", load(id=4) + b"\r"]


@each_profile
def test_a_slow_writer_is_answered_line_by_line(bench: Bench, profile: str) -> None:
    """No line is written before the one before it was answered; the end of input ends the run."""
    run = bench.start(*run_options("exp_mp", profile, input="-", output="-"), "--quiet")
    answers = []
    for line in LINES:
        run.feed(line + b"\n")
        answers += run.lines(1)
    run.feed(load(id=5))
    ended = bench.finish(run)
    expected = reference(b"\n".join([*LINES, load(id=5)])).output
    assert (ended.code, ended.said, ended.output) == (0, "", expected)
    assert answers == expected.splitlines()[: len(LINES)]


@each_profile
def test_a_pipe_in_the_file_system_is_read_and_written_as_it_goes(
    bench: Bench, profile: str
) -> None:
    source, target = bench.folder / "source", bench.folder / "target"
    for path in (source, target):
        os.mkfifo(path)
    feed, answers = (os.open(path, os.O_RDWR | os.O_NONBLOCK) for path in (source, target))
    run = bench.start(*run_options("exp_mp", profile, input="source", output="target"), "--quiet")
    heard = b""
    for line in LINES:
        os.write(feed, line + b"\n")
        heard += next_line(answers)
    os.close(feed)
    ended = bench.finish(run)
    os.close(answers)
    assert (ended.code, ended.said, heard) == (0, "", reference(b"\n".join(LINES)).output)
    assert stat.S_ISFIFO(target.stat().st_mode)


def next_line(pipe: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], PATIENCE_SECONDS)
        assert ready, "no answer came"
        line += os.read(pipe, 1)
    return line


@each_profile
def test_a_device_is_written_and_stays_a_device(bench: Bench, profile: str, dirty: bytes) -> None:
    bench.write("in", dirty)
    files = {"input": "in", "output": "/dev/null", "rejects": "rejects"}
    ended = bench.run(*run_options("exp_mp", profile, **files), "--quiet")
    assert (ended.code, ended.said) == (0, "")
    assert bench.read("rejects") == reference(dirty).rejects
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)

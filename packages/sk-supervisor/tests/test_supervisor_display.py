"""What is shown of a run, and that showing it holds nothing up."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_config import AdapterConfig, build_config
from sk_kernel import Progress
from sk_supervisor import prepare
from sk_supervisor._processes.streams import (
    HELD_BYTES,
    LINE_LENGTH,
    LineCutter,
    LineReader,
)
from sk_supervisor._processes.tail import TAIL_LINES
from sk_supervisor._run.execute import _is_silent
from sk_supervisor._show.board import AGAIN, BY_COMMAND, Board, board_of
from sk_supervisor._show.display import Display, display_for
from sk_supervisor._show.screens import PlainScreen, QuietScreen, can_live, same_terminal
from sk_supervisor._system import streams
from sk_supervisor._system.streams import TolerantStream, tolerant
from sk_supervisor._text.redaction import MASK, Redactor
from supervisor_harness import GROUPS, settings


def progress(group: str, state: str, taken: int = 0, given: int = 0) -> Progress:
    return Progress(group=group, records_out=given, state=state, source_records=taken)


def test_a_phase_is_said_when_all_groups_have_reached_it() -> None:
    board = Board(["a", "b"], source="a", sink="b")
    assert board.phase() == ""
    board.put([progress("a", "starting")], 0)
    assert board.phase() == ""
    board.put([progress("a", "ready"), progress("b", "starting")], 0)
    assert board.phase() == "starting"
    board.put([progress("a", "running"), progress("b", "ready")], 0)
    assert board.phase() == "ready"
    board.put([progress("b", "failed")], 0)
    assert board.phase() == ""
    assert board.states() == "a running  b failed"


def test_a_restart_does_not_take_a_run_back_to_a_phase_that_it_has_left() -> None:
    stream = io.StringIO()
    screen, board = PlainScreen(stream), Board(["a", "b"], source="a", sink="b")
    # b has two workers, which speak for it in turn.
    said = ["starting", "ready", "running", "failed", "starting", "running", "starting", "ready"]
    for now, state in enumerate([*said, "running", "stopping"]):
        whole = state if now in (0, 1, 9) else ""
        board.put([progress("a", whole or "running"), progress("b", state)], float(now))
        screen.show(board, float(now))
    lines = [line for line in stream.getvalue().splitlines() if not line.startswith("in ")]
    assert lines == ["starting", "ready", "running", "stopping"]


def test_totals_are_of_the_source_s_group_and_the_sink_s_whatever_others_have_passed_on() -> None:
    board = Board(["in", "mid", "out"], source="in", sink="out")
    board.put([progress("in", "running", 16, 16), progress("mid", "running", 16, 900)], 1.0)
    assert board.totals() == "in 16  out 0  -"
    board.put([progress("out", "running", 16, 7)], 2.0)
    assert board.totals() == "in 16  out 7  -"


def test_what_a_later_group_is_done_with_counts_as_read_though_the_source_has_not_said_so() -> None:
    board = Board(["in", "out"], source="in", sink="out")
    board.put([progress("in", "running", 16, 16)], 1.0)
    board.put([progress("out", "running", 20, 20)], 1.5)
    assert board.totals() == "in 20  out 20  -"


def test_the_rate_is_of_what_came_since_the_last_one_was_told() -> None:
    board, told = Board(["a"], source="a", sink="a"), []
    for now, taken in ((0.0, 0), (2.0, 4000), (2.1, 4100), (4.0, 4200), (5.0, 4200)):
        board.put([progress("a", "running", taken)], now)
        told.append(board.totals().split()[-1])
    assert told == ["-", "2,000/s", "2,000/s", "100/s", "0/s"]
    same = progress("a", "running", 4200)
    board.put([same], 6.0)
    board.put([same], 9.0)  # nothing was heard since
    board.put([progress("a", "running", 4300)], 10.0)
    assert board.totals().endswith(" 20/s")


def test_a_stop_that_is_heard_says_at_once_what_it_waits_for_and_says_it_once() -> None:
    stream = io.StringIO()
    display = Display(PlainScreen(stream), Board(["memory"], source="memory", sink="memory"))
    display.stopping(AGAIN)
    display.stopping(AGAIN)
    display.close()
    [said] = [line for line in stream.getvalue().splitlines() if line.startswith("stopping")]
    waits = "up to 30 s for the source, or a node, to return"
    assert said == f"stopping: waiting {waits}; again (Ctrl-C) ends it now"
    board = Board(["a", "b", "c"], source="a", sink="c", stop_seconds=30.0)
    board.put([progress("a", "drained"), progress("b", "running"), progress("c", "running")], 0)
    said = "stopping: waiting up to 30 s for b, c; again (Ctrl-C) ends it now"
    assert board.stopping(AGAIN) == said


def test_where_groups_name_several_times_for_a_stop_it_says_that_the_largest_counts(
    target: Path,
) -> None:
    groups = [{**group, "stop_timeout_seconds": n} for n, group in enumerate(GROUPS, 5)]
    board = board_of(prepare(build_config(settings(target, groups=groups))))
    waits = "up to 7 s (by the largest stop_timeout_seconds) for in, mid, out"
    assert board.stopping(AGAIN) == f"stopping: waiting {waits}; again (Ctrl-C) ends it now"


def test_what_ends_a_stop_at_once_is_said_to_who_signals_and_to_who_uses_the_command() -> None:
    stream = io.StringIO()
    display = Display(PlainScreen(stream), Board(["memory"], source="memory", sink="memory"))
    for ends_it in (BY_COMMAND, AGAIN, BY_COMMAND):
        display.stopping(ends_it)
    display.close()
    said = [line for line in stream.getvalue().splitlines() if line.startswith("stopping")]
    ends = [line.partition("; ")[2] for line in said]
    assert ends == ["sk stop --force ends it now", "again (Ctrl-C) ends it now"]


def test_quiet_tells_nothing_of_a_stop() -> None:
    stream = io.StringIO()
    display = display_for(stream, Board(["a"], source="a", sink="a"), quiet=QuietScreen)
    display.stopping(AGAIN)
    display.notice("warning: something")
    display.close()
    assert stream.getvalue() == ""


def test_plain_lines_are_few_and_totals_come_now_and_then() -> None:
    stream = io.StringIO()
    screen, board = PlainScreen(stream), Board(["a", "b"], source="a", sink="b")
    for now in range(100):
        for group in "ab":
            board.put([progress(group, "running", now * 10, now * 10)], float(now))
            screen.show(board, float(now))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "running"
    assert len(lines) == 1 + 19
    assert lines[1].startswith("in 50  out ")


def test_totals_that_have_not_changed_are_not_told_again() -> None:
    stream = io.StringIO()
    screen, board = PlainScreen(stream), Board(["a"], source="a", sink="a")
    for now in range(100):
        taken = 0 if now < 60 else 50
        board.put([progress("a", "running", taken, taken)], float(now))
        screen.show(board, float(now))
    assert stream.getvalue().splitlines() == [
        "running",
        "in 0  out 0  0/s",
        "in 50  out 50  10/s",
        "in 50  out 50  0/s",
    ]


def test_quiet_shows_what_workers_write_and_nothing_else() -> None:
    stream = io.StringIO()
    display = display_for(stream, Board(["a"], source="a", sink="a"), quiet=QuietScreen)
    display.progress(progress("a", "running", 5))
    display.line("a-0.1", "hello")
    display.close()
    assert stream.getvalue() == "[a-0.1] hello\n"


def test_lines_of_many_threads_come_whole_and_each_workers_in_order() -> None:
    stream = io.StringIO()
    display = Display(PlainScreen(stream), Board(["a"], source="a", sink="a"))

    def write(worker: str) -> None:
        for n in range(100):
            display.line(worker, f"line {n}")
            display.progress(progress("a", "running", n))

    threads = [threading.Thread(target=write, args=(f"w{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    display.close()
    lines = stream.getvalue().splitlines()
    for i in range(4):
        own = [line for line in lines if line.startswith(f"[w{i}]")]
        assert own == [f"[w{i}] line {n}" for n in range(100)]


class Stuck(QuietScreen):
    """A terminal that stands still until it is told."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())
        self.free, self.entered = threading.Event(), threading.Event()

    def line(self, text: str) -> None:
        self.entered.set()
        self.free.wait()
        super().line(text)

    @property
    def shown(self) -> list[str]:
        return cast("io.StringIO", self._stream).getvalue().splitlines()


def test_a_terminal_that_stands_still_blocks_nobody_and_lost_lines_are_counted() -> None:
    screen = Stuck()
    display = Display(screen, Board(["a"], source="a", sink="a"))
    display.line("w", "first")
    assert screen.entered.wait(10)
    for n in range(1500):
        display.line("w", f"line {n}")
        display.progress(progress("a", "running", n))
    screen.free.set()
    display.close()
    assert len(screen.shown) == 1002
    assert screen.shown[-1] == "(500 more lines of the workers are not shown)"


class Broken(io.StringIO):
    """A pipe that nobody reads."""

    tries = 0

    def write(self, text: str, /) -> int:
        self.tries += 1
        raise BrokenPipeError


def test_a_stream_that_breaks_is_written_to_no_more() -> None:
    broken = Broken()
    stream = TolerantStream(broken)
    assert not stream.isatty()
    print("one", file=stream, flush=True)
    print("two", file=stream, flush=True)
    assert broken.tries == 1
    with pytest.raises(io.UnsupportedOperation):
        stream.fileno()


def full_pipe() -> tuple[int, TextIO]:
    """A pipe that can take nothing more, and a non-blocking stream into it, as stderr may be."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"." * 65536)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b".")
    return reading, open(writing, "w", buffering=1)


@pytest.mark.parametrize(
    "said",
    ["".join(f"{n} last words\n" for n in range(20_000)), "x" * 300_000 + "\n", "\u20ac" * 100_000],
    ids=["lines", "a long line", "no line end"],
)
def test_a_stream_that_was_made_non_blocking_loses_nothing_while_somebody_reads(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(streams, "_PATIENCE_MS", 60_000)  # for a reader that is held up
    reading, full = full_pipe()
    with open(reading, "rb") as pipe, ThreadPoolExecutor(1) as beside:
        heard = beside.submit(pipe.read)
        stream = TolerantStream(full)
        print(said, file=stream, end="", flush=True)
        full.close()
        assert heard.result().decode().lstrip(".") == said


def test_a_text_reaches_a_stream_in_one_write_so_that_threads_do_not_tear_lines() -> None:
    class Counted(io.StringIO):
        writes = 0

        def write(self, text: str, /) -> int:
            self.writes += 1
            return super().write(text)

    stream = Counted()
    said = "a line of a traceback\n" * 1000
    TolerantStream(stream).write(said)
    assert (stream.writes, stream.getvalue()) == (1, said)


def test_a_non_blocking_stream_that_takes_nothing_is_waited_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[int] = []

    class Poll:
        def register(self, *_: int) -> None: ...

        def poll(self, timeout: int) -> list[tuple[int, int]]:
            waits.append(timeout)
            return []

    monkeypatch.setattr(streams.select, "poll", Poll)
    reading, full = full_pipe()
    stream = TolerantStream(full)
    print("x" * 100_000, file=stream, flush=True)
    assert waits == [1000, 0, 0]
    os.close(reading)
    with contextlib.suppress(OSError):
        full.close()


def test_a_non_blocking_stream_that_nobody_reads_for_a_while_is_not_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "_PATIENCE_MS", 0)
    reading, full = full_pipe()
    stream = TolerantStream(full)
    print("one", file=stream, flush=True)
    with open(reading, "rb", buffering=0) as pipe:
        pipe.read(1_000_000)
        print("two", file=stream, flush=True)
        full.close()
        assert pipe.readall() == b"one\ntwo\n"


def test_a_stream_that_is_not_there_takes_what_is_written_and_has_nothing() -> None:
    stream = TolerantStream(None)
    print("one", file=stream, flush=True)
    assert (stream.isatty(), stream.writable(), stream.encoding) == (False, True, "utf-8")
    with pytest.raises(AttributeError):
        _ = stream.buffer


def test_what_writes_bytes_to_a_stream_finds_its_buffer() -> None:
    raw = io.BytesIO()
    stream = tolerant(io.TextIOWrapper(raw))
    assert tolerant(stream) is stream
    stream.buffer.write(b"one")
    assert raw.getvalue() == b"one"


@pytest.mark.parametrize(
    ("encoding", "text", "written"),
    [
        ("ascii", "a caf\u00e9\n", b"a caf\\xe9\n"),
        ("utf-8", "a path \udcff\n", b"a path \\udcff\n"),
        ("cp1252", "caf\u00e9 \u2192\n", b"caf\xe9 \\u2192\n"),
        ("latin-1", "caf\u00e9 \u2026\n", b"caf\xe9 \\u2026\n"),
    ],
)
def test_what_a_stream_has_no_form_for_is_escaped_and_what_follows_is_written(
    encoding: str, text: str, written: bytes
) -> None:
    raw = io.BytesIO()
    stream = TolerantStream(io.TextIOWrapper(raw, encoding=encoding))
    stream.write(text)
    stream.write("and on\n")
    stream.flush()
    assert raw.getvalue() == written + b"and on\n"


def test_only_a_terminal_that_can_move_its_cursor_gets_a_live_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    assert can_live(Terminal())
    assert not can_live(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not can_live(Terminal())


def test_a_terminal_is_told_from_another_one_and_from_a_file(tmp_path: Path) -> None:
    ends = [os.openpty() for _ in range(2)]
    with open(ends[0][1], "w") as one, (tmp_path / "file").open("w") as file:
        assert same_terminal(one, ends[0][1])
        assert not same_terminal(one, ends[1][1])
        assert not same_terminal(one, file.fileno())
        assert not same_terminal(file, file.fileno())
        assert not same_terminal(io.StringIO(), ends[0][1])
    for descriptor in (ends[0][0], *ends[1]):
        os.close(descriptor)


@pytest.mark.parametrize(
    ("settings", "silent"),
    [({"path": "out.txt"}, True), ({"path": "-"}, False), ({"path": 1}, False), ({}, False)],
)
def test_only_a_sink_of_a_file_is_known_to_write_nothing_where_the_live_line_is(
    settings: dict[str, object], silent: bool
) -> None:
    assert _is_silent(AdapterConfig(name="sink", settings=settings)) is silent
    assert _is_silent(None)


# ---- a worker's standard error -----------------------------------------------------------------


@given(st.lists(st.binary(max_size=40)), st.integers(1, 7))
def test_lines_are_the_same_however_their_bytes_arrive(lines: list[bytes], size: int) -> None:
    data = b"\n".join(lines)
    cutter = LineCutter()
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    cut = [line for chunk in chunks for line in cutter.feed(chunk)] + list(cutter.finish())
    whole = LineCutter()
    assert cut == [*whole.feed(data), *whole.finish()]
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert cut == [line.decode(errors="replace").rstrip("\r") for line in expected]


def test_a_line_without_end_is_cut_and_not_kept_in_memory() -> None:
    cutter = LineCutter()
    first = [len(line) for line in cutter.feed(b"x" * (HELD_BYTES + LINE_LENGTH * 3 + 5))]
    assert first == [LINE_LENGTH] * 3
    later = [len(line) for _ in range(100) for line in cutter.feed(b"x" * 1000)]
    assert set(later) == {LINE_LENGTH}
    assert sum(len(line) for line in cutter.finish()) < HELD_BYTES + LINE_LENGTH


@given(
    st.sampled_from([LINE_LENGTH, 2 * LINE_LENGTH, HELD_BYTES, HELD_BYTES + LINE_LENGTH, 20_000]),
    st.integers(0, 60),
    st.integers(500, 70_000),
    st.booleans(),
)
def test_a_secret_is_masked_wherever_a_long_line_is_cut(
    cut: int, before: int, size: int, ended: bool
) -> None:
    secret = "s3cr\N{LATIN SMALL LETTER E WITH ACUTE}t-" * 8
    line = f"{'x' * (cut - before)}{secret}{'y' * 25_000}"
    data = line.encode() + b"\n" * ended
    cutter = LineCutter(Redactor([secret]))
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    shown = [text for chunk in chunks for text in cutter.feed(chunk)] + list(cutter.finish())
    assert "".join(shown) == line.replace(secret, MASK)
    assert max(map(len, shown)) <= LINE_LENGTH


def test_what_is_in_the_pipe_when_the_reader_is_told_to_end_is_not_lost() -> None:
    read_end, write_end = os.pipe()
    first, go_on = threading.Event(), threading.Event()

    def on_line(_: str, line: str) -> None:
        first.set()
        go_on.wait(10)

    reader = LineReader({"stderr": os.fdopen(read_end, "rb", buffering=0)}, on_line, name="test")
    os.write(write_end, b"first\n")
    assert first.wait(10)
    os.write(write_end, b"last words\n")
    reader.wake()
    go_on.set()
    assert reader.stop(timeout=10)
    assert reader.tail() == ("first", "last words")
    os.close(write_end)


def test_the_reader_keeps_the_last_lines_and_can_be_stopped_with_the_pipe_open() -> None:
    read_end, write_end = os.pipe()
    seen: list[str] = []
    last = threading.Event()

    def on_line(_: str, line: str) -> None:
        seen.append(line)
        if line == "line 99":
            last.set()

    reader = LineReader({"stderr": os.fdopen(read_end, "rb", buffering=0)}, on_line, name="test")
    os.write(write_end, "".join(f"line {n}\n" for n in range(100)).encode())
    assert last.wait(10)
    assert reader.tail() == tuple(f"line {n}" for n in range(100 - TAIL_LINES, 100))
    assert len(seen) == 100
    assert reader.stop(timeout=2)
    os.close(write_end)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_raises_at_a_line_is_told_no_more_and_the_pipe_is_read_all_the_same() -> None:
    read_end, write_end = os.pipe()
    told: list[str] = []

    def on_line(_: str, line: str) -> None:
        told.append(line)
        raise ValueError(line)

    reader = LineReader({"stderr": os.fdopen(read_end, "rb", buffering=0)}, on_line, name="test")
    os.write(write_end, b"one\ntwo\n")
    os.close(write_end)
    reader.await_end(timeout=10)
    assert (told, reader.tail()) == (["one"], ("one", "two"))


@pytest.mark.parametrize("lower", ["stderr", "stdout"])
def test_of_what_waits_in_several_pipes_the_first_ones_is_heard_first(lower: str) -> None:
    """Whichever has the lower number: a flood of output comes behind what was said of it aside."""
    two = sorted([os.pipe(), os.pipe()])
    if lower == "stdout":
        two.reverse()
    heard: list[str] = []
    for _, write_end in two:
        os.write(write_end, b"said\n")
        os.close(write_end)
    pipes = {
        stream: os.fdopen(read_end, "rb", buffering=0)
        for stream, (read_end, _) in zip(("stderr", "stdout"), two, strict=True)
    }
    reader = LineReader(pipes, lambda stream, _: heard.append(stream), name="test")
    assert reader.stop(timeout=10)
    assert heard == ["stderr", "stdout"]


@pytest.mark.parametrize("data", [b"", b"bytes"])
def test_a_tolerant_stream_takes_text_alone(data: Any) -> None:
    """click writes empty bytes to see whether a stream takes bytes."""
    with pytest.raises(TypeError, match="must be str, not bytes"):
        tolerant(io.StringIO()).write(data)

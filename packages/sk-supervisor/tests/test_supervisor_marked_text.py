"""What a worker tells in one piece: one record where it is logged, lines where it is shown."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from asked_app import Ask
from asking import FOUR, asked
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel import Envelope
from sk_supervisor import RuntimeWorkerFailedError, ServiceFailedError, serve
from sk_supervisor._processes.output import line_consumer
from sk_supervisor._processes.spawn import Standard, WorkerStart
from sk_supervisor._processes.streams import LINE_LENGTH, TEXT_LENGTH, LineReader
from sk_supervisor._protocol.marked_text import MOST_BYTES, MOST_CHARACTERS, MarkedLines, new_mark
from sk_supervisor._show.board import Board
from sk_supervisor._show.display import Display, display_for
from sk_supervisor._show.screens import LoggedScreen, PlainScreen
from sk_supervisor._text.redaction import MASK, Redactor
from sk_supervisor._worker.telling import TellingHandler
from supervisor_heard import Heard, hearing

PATIENCE = 30.0
MARK = new_mark()
OWN = MarkedLines(MARK)
KEPT = "hunter2-the-password-of-prod"
THREE = 'a request has failed\n  File "nodes.py", line 3\nValueError: bad'


@pytest.fixture
def heard() -> Iterator[Heard]:
    with hearing("sk_supervisor.workers", "ValueError: ") as found:
        yield found


def said_of(
    data: bytes, size: int = 1 << 16, clean: Any = str, stream: str = "stderr"
) -> tuple[list[Any], Any]:
    """What a reader makes of bytes that come so many at a time; and its last lines."""
    read_end, write_end = os.pipe()
    said: list[Any] = []
    pipes = {stream: os.fdopen(read_end, "rb", buffering=0)}
    reader = LineReader(
        pipes, lambda _, *rest: said.append(rest), name="test", clean=clean, mark=MARK
    )
    for start in range(0, len(data), size):
        os.write(write_end, data[start : start + size])
    os.close(write_end)
    reader.await_end(PATIENCE)
    return said, reader.tail()


def test_a_request_that_fails_in_a_worker_is_one_record_of_its_level_in_the_program(
    heard: Heard,
) -> None:
    with serve(asked(FOUR)) as service:
        service.request(Envelope(Ask(404, do="raise:third"))).wait(PATIENCE)
        assert heard.came.wait(PATIENCE)
    [record] = [each for each in heard.records if "ValueError" in each.getMessage()]
    text = record.getMessage()
    assert record.levelno == logging.ERROR
    assert text.startswith("[three-0.1 stderr] a request has failed: node 'third' raised")
    assert text.endswith("ValueError: secret 404")
    assert "asked_app.py" in text


def test_a_worker_that_fails_tells_of_it_in_one_record(heard: Heard) -> None:
    groups = ({"name": "one", "nodes": ["works", "source:source", "sink:sink"]},)
    adapters = {"source": {"name": "some"}, "sink": {"name": "replies"}}
    configuration = asked(groups, adapters=adapters, modules=("told_app",))
    with pytest.raises(ServiceFailedError) as caught, serve(configuration) as service:
        service.wait(PATIENCE)
    assert heard.came.wait(PATIENCE)
    [record] = [each for each in heard.records if "ValueError" in each.getMessage()]
    assert record.levelno == logging.ERROR
    assert "Traceback (most recent call last):" in record.getMessage()
    assert "node 'works' raised ValueError on record 1" in record.getMessage()
    cause = caught.value.__cause__
    assert isinstance(cause, RuntimeWorkerFailedError)


@given(st.text(st.characters(codec="utf-8")), st.integers(30, 50))
def test_a_text_is_told_in_one_line_and_is_the_same_lines_behind_it(text: str, level: int) -> None:
    line = OWN.line_of(level, text)
    assert line.endswith("\n")
    told = OWN.text_in(line[:-1])
    assert told is not None
    expected = [part for each in text.splitlines() for part in each.split("\x1f")] or [""]
    assert (told.level, told.text.split("\n")) == (level, expected)


@pytest.mark.parametrize("size", [1, 7, 100, 100_000])
def test_what_is_told_is_whole_however_its_bytes_arrive_and_each_line_is_evidence(
    size: int,
) -> None:
    data = f"before\n{OWN.line_of(40, THREE)}begun{OWN.line_of(30, 'two')}behind\n".encode()
    said, tail = said_of(data, size)
    assert said == [("before",), (THREE, 40), ("begun",), ("two", 30), ("behind",)]
    assert tail == ("before", *THREE.split("\n"), "begun", "two", "behind")


def test_the_middle_of_what_is_too_long_is_left_out_and_a_long_line_of_it_is_cut() -> None:
    text = "\n".join(["first", *("\N{SNOWMAN}" * 3000 for _ in range(9)), "last"])
    line = OWN.line_of(40, text)
    [(shown, level)], _ = said_of(line.encode(), 1000)
    lines = shown.split("\n")
    assert (level, lines[0], lines[-1]) == (40, "first", "last")
    assert "..." in lines
    assert max(map(len, lines)) == LINE_LENGTH
    assert len(shown) < TEXT_LENGTH + 50


def test_a_secret_is_masked_in_what_is_told() -> None:
    line = OWN.line_of(40, "a\nwith s3cret-word")
    said, tail = said_of(line.encode(), 3, Redactor(["s3cret-word"]))
    assert said == [(f"a\nwith {MASK}", 40)]
    assert tail == ("a", f"with {MASK}")


@pytest.mark.parametrize("before", range(TEXT_LENGTH // 2 - 30, TEXT_LENGTH // 2 + 10, 5))
def test_of_a_secret_where_the_middle_is_left_out_no_part_is_shown(before: int) -> None:
    line = OWN.line_of(40, "x" * before + KEPT + "y" * 9000)
    [(shown, level)], _ = said_of(line.encode(), clean=Redactor([KEPT]))
    assert (level, shown[:100]) == (40, "x" * 100)
    assert "hunter" not in shown
    assert "prod" not in shown


def test_of_what_is_longer_than_may_be_held_whole_lines_are_left_out() -> None:
    lines = [f"{number} {'x' * 1000}" for number in range(1000)]
    line = OWN.line_of(40, "\n".join(lines))
    assert len(line) < MOST_CHARACTERS + 100
    told = OWN.text_in(line[:-1])
    assert told is not None
    shown = told.text.split("\n")
    cut = shown.index("...")
    assert shown[:cut] == lines[:cut]
    assert shown[cut + 1 :] == lines[cut + 1 - len(shown) :]
    assert 40 < cut < len(shown) - 40


def test_one_is_held_whole_whatever_characters_it_has() -> None:
    line = OWN.line_of(40, "\n".join(["\N{SNOWMAN}" * 99] * 1000))
    assert len(line.encode("ascii", "backslashreplace")) < MOST_BYTES
    longest = OWN.line_of(40, "\n".join(["\N{GRINNING FACE}" * 99] * 1000))
    assert len(longest.encode("ascii", "backslashreplace")) < MOST_BYTES


def test_a_line_that_is_too_long_to_be_held_is_told_as_a_line_and_no_part_of_a_secret() -> None:
    text = "\n".join(["ValueError: " + "x" * 60_000 + KEPT + "y" * 60_000, "behind"])
    said, _ = said_of(OWN.line_of(40, text).encode(), clean=Redactor([KEPT]))
    assert "".join(line for (line,) in said) == text.replace(KEPT, MASK).replace("\n", "")


@pytest.mark.parametrize(
    "printed",
    [
        "user said \x1e0\x1fDROP TABLE",
        "user said \x1e50\x1fall is well\x1f[pay-0.1 stderr] paid 100",
        MarkedLines("another worker's").line_of(50, "one\ntwo")[:-1],
    ],
    ids=["hidden", "forged", "another's"],
)
def test_what_a_node_prints_is_a_line_whatever_it_looks_like(printed: str) -> None:
    assert said_of(f"{printed}\n".encode())[0] == [(printed,)]


def test_nothing_is_told_on_a_standard_output() -> None:
    line = OWN.line_of(40, "one\ntwo")
    assert said_of(line.encode(), stream="stdout")[0] == [(line[:-1],)]


@pytest.mark.parametrize(("level", "told"), [(-5, 30), (0, 30), (35, 35), (1000, 50)])
def test_a_record_has_no_less_than_a_line_s_level_and_no_more_than_the_highest(
    level: int, told: int
) -> None:
    assert said_of(OWN.line_of(level, "one\ntwo").encode())[0] == [("one\ntwo", told)]


def test_each_worker_has_a_mark_of_its_own() -> None:
    def start() -> WorkerStart:
        return WorkerStart("a-0.1", "a", 0, 1, "", "00", "s", 30, {}, Standard(False, False))

    one, other = start(), start()
    assert one.assignment(0)["mark"] == one.mark != other.mark


def test_on_a_screen_it_is_lines_behind_the_worker_s_name() -> None:
    stream = io.StringIO()
    display = Display(PlainScreen(stream), Board(["a"], source="a", sink="a"))
    display.line("a-0.1 stderr", "one\ntwo", logging.ERROR)
    display.close()
    assert stream.getvalue() == "[a-0.1 stderr] one\n[a-0.1 stderr] two\n"


def test_in_a_log_a_line_has_the_level_of_its_stream_and_what_is_told_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    display = display_for(io.StringIO(), Board(["a"], source="a", sink="a"), quiet=LoggedScreen)
    display.line("a-0.1 stdout", "x")
    display.line("a-0.1 stderr", "y")
    display.line("a-0.1 stderr", "one\ntwo", logging.ERROR)
    display.close()
    assert [(each.levelno, each.getMessage()) for each in caplog.records] == [
        (logging.INFO, "[a-0.1 stdout] x"),
        (logging.WARNING, "[a-0.1 stderr] y"),
        (logging.ERROR, "[a-0.1 stderr] one\ntwo"),
    ]


def test_as_events_it_is_an_event_for_each_line() -> None:
    from sk_observability import LifecycleLog

    log = LifecycleLog("r1", level="debug")
    line_consumer(lambda *_: None, log, as_events=True)("a-0.1", "stderr", "one\ntwo", 40)
    assert [event.fields["line"] for event in log.events()] == ["one", "two"]


def test_another_stream_that_the_application_has_put_there_gets_plain_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    TellingHandler(MARK).tell(logging.ERROR, "one\ntwo")
    assert stream.getvalue() == "one\ntwo\n"

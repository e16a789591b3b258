"""``sk trace``: trace files as a list, as a tree and as a page, whatever is in them."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from sk_kernel import NodeSpan, SpanLink
from sk_observability import build_span_exporters
from sk_supervisor._pages.trace_busy import Stretches, joined, total_ns
from sk_supervisor._pages.trace_index import MOST_SPANS, Chosen, listed
from sk_supervisor._pages.trace_page import MOST_ROWS, trace_page
from sk_supervisor._pages.trace_runs import NewestRun, RunSpan
from sk_supervisor._pages.trace_span import AGAIN, CIRCLE, GONE, Span, covered_ns, rows_of
from sk_supervisor._pages.trace_waits import MOST_WAITS, Meanwhile, Wait, longest_waits
from sk_supervisor._pages.trace_words import facts_of
from sk_supervisor._text.jsonl import LONGEST, JsonLines
from sk_supervisor._text.units import lasting
from sk_supervisor.cli import main

BEGIN = 1_700_000_000_000_000_000
EVENT = b'{"sequence":1,"time":"2026-11-22T08:42:06Z","event":"worker_ready"}\n'
HOSTILE = "</span><script src=//x.example/x.js>'\"&\x1b[2J\u202e"


def span(number: int, **facts: Any) -> Span:
    """A span that begins a microsecond after the one before it, and lasts one."""
    start = BEGIN + number * 1_000
    own = {"trace_id": "a" * 32, "span_id": f"{number:016x}", "name": f"node{number}"}
    times = {"start_ns": start, "end_ns": start + 1_000, "process_group": "in"}
    return Span(**{**own, **times, **facts})


def chain(count: int, **facts: Any) -> list[Span]:
    """Spans that are each the parent of the next."""
    parents = [None, *(f"{number:016x}" for number in range(count - 1))]
    return [span(number, parent_id=parent, **facts) for number, parent in enumerate(parents)]


def write(path: Path, spans: Sequence[Span], behind: bytes = b"") -> str:
    """A trace file."""
    path.write_bytes(msgspec.json.Encoder().encode_lines(spans) + behind)
    return str(path)


def sk(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


class Page(HTMLParser):
    """What a page asks for, and what a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


# ---- reading ------------------------------------------------------------------------------------


def test_the_spans_of_a_request_which_has_no_number_are_shown_as_such(tmp_path: Path) -> None:
    trace, other = write(tmp_path / "one", chain(2, sequence=-7)), span(9, trace_id="b" * 32)
    assert "request request" not in (told := sk("trace", trace).output)
    assert "record request" in told
    both = write(tmp_path / "two", [*chain(2, sequence=-7), other])
    assert "request" in sk("trace", both).output


def test_what_the_exporter_writes_is_read_back_whole(tmp_path: Path) -> None:
    written = NodeSpan(
        trace_id="1" * 32,
        span_id="2" * 16,
        parent_id="3" * 16,
        name="process policy",
        process_group="policy",
        route_hop=2,
        handoff_from="features",
        sequence=7,
        start_ns=BEGIN,
        end_ns=BEGIN + 5,
        error="ValueError",
        kind="consumer",
        links=(SpanLink("4" * 32, "5" * 16),),
        attributes={"messaging.batch.message_count": 3},
    )
    path = tmp_path / "spans.jsonl"
    settings = {"path": str(path)}
    (outlet,) = build_span_exporters([("jsonl", settings)], worker="policy-0.1", run_id="r-1")
    outlet.export([written])
    outlet.close()
    lines = JsonLines([path], Span)
    (read,) = lines
    assert lines.bad == lines.halves == 0
    found = {name: getattr(read, name) for name in Span.__struct_fields__}
    own = {name: getattr(written, name) for name in NodeSpan.__struct_fields__}
    assert found == {**own, "worker": "policy-0.1", "run_id": "r-1"}


def test_a_line_that_cannot_be_read_is_named_and_counted_and_the_rest_is_shown(
    tmp_path: Path,
) -> None:
    bad = b'{"trace_id":"x"}\n[]\n\xff\xfe\n{"trace_id":1}\n' + b"[" * 9_000 + b"\n" + b"no json\n"
    path = write(tmp_path / "s.jsonl", chain(2), behind=bad)
    result = sk("trace", path)
    assert result.exit_code == 1
    told = result.stderr.splitlines()
    assert [line.split(": ")[1] for line in told[:5]] == [f"{path}:{n}" for n in range(3, 8)]
    assert "missing required field `span_id`" in told[0]
    assert told[5] == "warning: 6 lines could not be read; the first 5 are named."
    assert "node1" in result.stdout


def test_a_file_of_events_is_said_to_be_one_and_whose_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", [], behind=EVENT * 7)
    result = sk("trace", path)
    told = f"{path}: lines that are lifecycle events, which `sk timeline` shows: 7"
    said = [f"warning: {told}", f"error: there is no span in {path}"]
    assert (result.exit_code, result.stderr.splitlines()) == (1, said)


def test_events_among_the_spans_are_counted_and_the_spans_are_shown(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", chain(2), behind=EVENT + b"no json\n")
    result = sk("trace", path)
    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert first.endswith("lifecycle events, which `sk timeline` shows: 1")
    assert second.startswith(f"warning: {path}:4: ")
    assert "node1" in result.stdout


def test_a_file_of_spans_is_said_to_be_one_by_the_timeline(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", chain(3))
    result = sk("timeline", path)
    told = f"  {path}: lines that are spans, which `sk trace` shows: 3"
    said = [f"error: there is no lifecycle event in {path}", told]
    assert (result.exit_code, result.stderr.splitlines()) == (1, said)


def test_the_half_last_line_of_a_killed_worker_is_told_and_is_no_failure(tmp_path: Path) -> None:
    whole = msgspec.json.encode(span(1))
    path = write(tmp_path / "s.jsonl", [span(0)], behind=whole[: len(whole) // 2])
    result = sk("trace", path)
    assert result.exit_code == 0
    told = f"warning: {path}:2: incomplete line: its writer was killed, or is still writing"
    assert result.stderr.splitlines() == [told]
    assert "spans 1 " in result.stdout


def test_a_whole_line_behind_the_half_one_of_a_killed_worker_is_taken(tmp_path: Path) -> None:
    half = msgspec.json.encode(span(1))[:40]
    path = write(tmp_path / "s.jsonl", [span(0)], behind=half + msgspec.json.encode(span(2)))
    result = sk("trace", path)
    assert result.exit_code == 0
    assert f"{path}:2: incomplete line (its writer was killed); the line after it" in result.stderr
    assert "node2" in result.stdout


def test_a_line_without_end_is_not_taken_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"x" * (LONGEST + 2) * 2 + b"\n" + msgspec.json.encode(span(0)))
    lines = JsonLines([path], Span)
    assert [read.name for read in lines] == ["node0"]
    assert [str(fault) for fault in lines.faults] == [
        f"{path}:1: a line of more than 1,048,576 bytes"
    ]


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange_to_be_read_or_told(data: bytes) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        lines = JsonLines([file.name], Span)
        taken = len(list(lines))
        written = [line for line in data.split(b"\n") if line.strip()]
        assert taken + lines.bad + lines.halves >= len(written)


@pytest.mark.parametrize("name", ["absent.jsonl", "."])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, name: str) -> None:
    result = sk("trace", str(tmp_path / name))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: cannot read {tmp_path / name}: ")


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", [])
    result = sk("trace", path)
    assert (result.exit_code, result.stderr) == (1, f"error: there is no span in {path}\n")


# ---- choosing -----------------------------------------------------------------------------------


@pytest.fixture
def several(tmp_path: Path) -> str:
    """Three traces: a long one, a short one, and one that failed."""
    spans = [
        *chain(3, trace_id="ab" * 16, sequence=1),
        span(0, trace_id="ac" * 16, sequence=2),
        span(0, trace_id="dd" * 16, sequence=3, error="ValueError"),
        span(5, trace_id="dd" * 16, sequence=3, process_group="out"),
    ]
    return write(tmp_path / "several.jsonl", spans)


def test_many_traces_are_listed_failed_first_then_the_longest(several: str) -> None:
    result = sk("trace", several)
    assert result.exit_code == 0
    head, *rows, last = result.stdout.splitlines()
    assert head.split() == ["trace", "record", "spans", "groups", "errors", "took", "busy", "began"]
    assert [re.sub(" ([^ ])s ", r"\1s ", row).split()[:7] for row in rows] == [
        ["dd" * 16, "3", "2", "2", "1", "6.00\N{MICRO SIGN}s", "2.00\N{MICRO SIGN}s"],
        ["ab" * 16, "1", "3", "1", "0", "3.00\N{MICRO SIGN}s", "3.00\N{MICRO SIGN}s"],
        ["ac" * 16, "2", "1", "1", "0", "1.00\N{MICRO SIGN}s", "1.00\N{MICRO SIGN}s"],
    ]
    assert last == "3 traces, 6 spans; failed first, then the longest"


def test_a_list_that_is_cut_says_how_many_more_there_are(several: str) -> None:
    result = sk("trace", several, "--limit", "1")
    assert len(result.stdout.splitlines()) == 3
    assert result.stdout.endswith("then the longest: 2 more (--limit)\n")


@pytest.mark.parametrize(
    ("order", "first", "told"),
    [
        ("failed", ["d", "b", "c"], "failed first, then the longest"),
        ("total", ["b", "d", "c"], "the longest first"),
        ("busy", ["c", "b", "d"], "the busiest first"),
        ("start", ["d", "c", "b"], "as they began"),
    ],
)
def test_a_list_is_sorted_as_asked_for(
    tmp_path: Path, order: str, first: list[str], told: str
) -> None:
    """Of two long ones that wait, a failed one, and one that works all the time."""
    spans = [
        *(span(20, trace_id="b"), span(29, trace_id="b"), span(29, trace_id="b", span_id="x")),
        span(10, trace_id="c", end_ns=BEGIN + 15_000),
        *(span(1, trace_id="d", error="ValueError"), span(8, trace_id="d")),
    ]
    path = write(tmp_path / "s.jsonl", spans)
    _, *rows, last = sk("trace", path, "--sort", order).stdout.splitlines()
    assert [row.split()[0] for row in rows] == first
    assert last == f"3 traces, 6 spans; {told}"


def test_the_page_of_the_first_in_an_order_says_what_it_is_the_first_of(several: str) -> None:
    result = sk("trace", several, "--html", "-", "--sort", "busy")
    assert f"1 of 3 traces is drawn, the busiest: {'ab' * 16}, " in result.stderr


def test_a_trace_is_found_by_its_records_number(several: str) -> None:
    assert sk("trace", several, "--record", "2").stdout.startswith(f"trace {'ac' * 16}\n")


def test_the_batch_that_begins_with_a_record_is_not_that_records_trace(tmp_path: Path) -> None:
    spans = [span(1, sequence=7, trace_id="own"), span(0, sequence=7, kind="consumer")]
    shown = sk("trace", write(tmp_path / "s.jsonl", spans), "--record", "7").stdout
    assert shown.startswith("trace own\n")


def test_of_a_record_in_several_traces_one_is_chosen_by_its_id_too(tmp_path: Path) -> None:
    spans = [span(n, sequence=7, trace_id=trace) for n, trace in enumerate(("ab", "cd"))]
    path = write(tmp_path / "s.jsonl", spans)
    assert sk("trace", path, "--record", "7").stderr.endswith("name one by --trace: ab, cd\n")
    assert sk("trace", path, "--record", "7", "--trace", "c").stdout.startswith("trace cd\n")


def test_a_record_without_a_trace_is_an_error_that_says_why_that_may_be(several: str) -> None:
    result = sk("trace", several, "--record", "1234")
    told = "there is no trace of record 1234 (records that are not sampled have none)"
    assert (result.exit_code, result.stderr) == (1, f"error: {told} in {several}\n")


def test_the_beginning_of_an_id_is_enough(several: str) -> None:
    assert sk("trace", several, "--trace", "d").stdout.startswith(f"trace {'dd' * 16}\n")


def test_a_choice_that_could_mean_several_traces_names_them(several: str) -> None:
    result = sk("trace", several, "--trace", "a")
    assert (result.exit_code, result.stdout) == (1, "")
    named = f"several traces, name one by --trace: {'ab' * 16}, {'ac' * 16}"
    assert result.stderr.startswith(f"error: {named}")


def test_an_id_that_another_one_begins_with_means_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", [span(0, trace_id="abc"), span(1, trace_id="ab")])
    assert sk("trace", path, "--trace", "ab").stdout.startswith("trace ab\n")


def test_an_id_that_no_trace_has_is_an_error(several: str) -> None:
    result = sk("trace", several, "--trace", "9")
    told = f"error: there is no trace whose id begins with '9' in {several}\n"
    assert (result.exit_code, result.stderr) == (1, told)


def test_the_files_of_several_workers_are_one_trace(tmp_path: Path) -> None:
    first, *others = chain(4)
    paths = [write(tmp_path / "a", others), write(tmp_path / "b", [first])]
    shown = sk("trace", *paths, paths[0]).stdout
    assert "spans 4 " in shown
    assert re.findall(r"node\d", shown) == ["node0", "node1", "node2", "node3"]


_SPANS = st.lists(
    st.builds(
        lambda trace, number, length, group, error: span(
            number, trace_id=trace, end_ns=BEGIN + length, process_group=group, error=error
        ),
        *(st.sampled_from("abc"), st.integers(0, 9), st.integers(0, 99)),
        *(st.sampled_from(["in", "out"]), st.sampled_from([None, "E"])),
    ),
    max_size=30,
)


@settings(max_examples=25)
@given(_SPANS, st.integers(1, 5))
def test_a_list_is_the_same_however_often_its_sums_leave_memory(
    spans: list[Span], at_once: int
) -> None:
    of_run = [RunSpan(span) for span in spans]
    assert listed(of_run, 9, at_once=at_once) == listed(of_run, 9)
    for trace in listed(of_run, 9).shown:
        own = [s for s in spans if s.trace_id == trace.trace_id]
        assert (trace.spans, trace.busy_ns) == (len(own), covered_ns(own))


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9)), max_size=90), st.integers(0, 90))
def test_stretches_are_as_long_in_any_order_and_in_two_parts(
    given: list[tuple[int, int]], cut: int
) -> None:
    parts = Stretches(), Stretches()
    for number, (start, length) in enumerate(given):
        parts[number < cut].add(start, start + length)
    covered = {n for start, length in given for n in range(start, start + length)}
    assert total_ns(joined(parts[0].kept(), parts[1].kept())) == len(covered)


# ---- several runs -------------------------------------------------------------------------------


def span_of(run: str, trace: str, begin: int, **facts: Any) -> Span:
    return span(begin, trace_id=trace, run_id=run, **facts)


@pytest.fixture
def appended(tmp_path: Path) -> str:
    """Three runs, one behind the other; a caller's trace is in the first two."""
    spans = [
        span_of("run-a", "aa", 1),
        span_of("run-a", "shared", 2, name="early"),
        span_of("run-b", "shared", 20, name="late"),
        span_of("run-c", "c1", 40),
        span_of("run-c", "c2", 30),
    ]
    return write(tmp_path / "appended.jsonl", spans)


def test_of_several_runs_the_newest_is_listed_and_the_others_are_named(appended: str) -> None:
    *rows, told = sk("trace", appended).stdout.splitlines()
    assert [row.split()[0] for row in rows[1:3]] == ["c1", "c2"]
    assert rows[-1].startswith("2 traces, 2 spans; ")
    assert told == "run run-c, the newest of 3; --run shows another: run-b, run-a"


def test_a_run_is_chosen_by_the_beginning_of_its_id(appended: str) -> None:
    shown = sk("trace", appended, "--run", "run-b").stdout.splitlines()
    assert shown[0] == "trace shared"
    assert shown[1].startswith("run run-b  record -  spans 1 ")
    assert "late" in shown[-1]


def test_a_trace_that_is_chosen_is_that_of_the_newest_run_that_has_it(appended: str) -> None:
    found = [
        sk("trace", appended, "--trace", "shared", *more).stdout.splitlines()
        for more in ([], ["--run", "run-a"])
    ]
    assert [("late" in "".join(lines), "early" in "".join(lines)) for lines in found] == [
        (True, False),
        (False, True),
    ]
    assert found[0][-1] == "run run-b, the newest of 2; --run shows another: run-a"


def test_a_page_says_of_which_run_it_is(appended: str) -> None:
    page = Page(sk("trace", appended, "--run", "run-b", "--html", "-").stdout)
    assert "run-b" in page.text
    of_two = sk("trace", appended, "--html", "-")
    told = "run run-c, the newest of 3; --run shows another: run-b, run-a"
    assert told in Page(of_two.stdout).text
    assert f"{told}\n" in of_two.stderr


def test_a_run_that_is_not_there_is_an_error(appended: str) -> None:
    told = {
        more: sk("trace", appended, *more).stderr
        for more in (("--run", "x"), ("--run", "run-c", "--trace", "aa"))
    }
    assert list(told.values()) == [
        f"error: there is no span of a run whose id begins with 'x' in {appended}\n",
        "error: there is no trace whose id begins with 'aa' of a run whose id begins with 'run-c'"
        f" in {appended}\n",
    ]


def test_spans_that_name_no_run_are_those_of_one(tmp_path: Path) -> None:
    older = [span(1, trace_id="a"), span(2, trace_id="b")]
    path = write(tmp_path / "s.jsonl", [*older, span_of("r", "c", 3)])
    assert sk("trace", path).stdout.splitlines()[0] == "trace c"
    assert sk("trace", path).stdout.endswith("--run shows another: (without an id)\n")
    assert "the newest" not in sk("trace", write(tmp_path / "older.jsonl", older)).stdout


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "ab"]), st.integers(0, 9)), max_size=12))
def test_of_the_newest_run_no_span_is_missing_whatever_the_order(spans: list[Any]) -> None:
    runs, kept = NewestRun(), list[Span]()
    every = [span(begin, run_id=name or None) for name, begin in spans]
    for one in runs.of(every):
        kept = [one.span] if one.begins else [*kept, one.span]
    assert kept == [s for s in every if (s.run_id or "") == runs.run_id]
    first: dict[str, int] = {}
    for name, begin in spans:
        first.setdefault(name, begin)
    assert not spans or first[runs.run_id] == max(first.values())


# ---- the tree -----------------------------------------------------------------------------------


@given(st.data())
def test_every_span_is_told_once_and_behind_its_parent_whatever_they_say(
    data: st.DataObject,
) -> None:
    ids = st.sampled_from("abcd")
    spans = [
        span(n, span_id=data.draw(ids), parent_id=data.draw(st.none() | ids))
        for n in range(data.draw(st.integers(1, 8)))
    ]
    rows = rows_of(spans)
    assert sorted(map(id, spans)) == sorted(id(row.span) for row in rows)
    for number, row in enumerate(rows):
        if row.depth:
            above = next(r for r in reversed(rows[:number]) if r.depth == row.depth - 1)
            assert above.span.span_id == row.span.parent_id


def test_a_chain_of_any_length_is_told() -> None:
    assert [row.depth for row in rows_of(chain(5_000))] == list(range(5_000))


@pytest.mark.parametrize(
    ("spans", "notes"),
    [
        ([span(0, parent_id="lost")], [f"{GONE} (lost)"]),
        ([span(0, span_id="x"), span(1, span_id="x")], [None, AGAIN]),
        (
            [span(0, span_id="x", parent_id="y"), span(1, span_id="y", parent_id="x")],
            [CIRCLE, None],
        ),
        ([span(0, span_id="x", parent_id="x")], [CIRCLE]),
    ],
    ids=["parent gone", "twice", "circle", "its own parent"],
)
def test_what_is_wrong_with_a_span_is_said(spans: list[Span], notes: list[str | None]) -> None:
    assert [row.note for row in rows_of(spans)] == notes


def test_the_busy_time_counts_what_overlaps_once() -> None:
    times = [(0, 10), (5, 12), (20, 25), (21, 22), (30, 29)]
    spans = [span(0, start_ns=BEGIN + a, end_ns=BEGIN + b) for a, b in times]
    assert covered_ns(spans) == 17


def test_a_trace_is_printed_as_a_tree_with_its_times(tmp_path: Path) -> None:
    spans = [
        span(0, name="source", worker="in-0.1"),
        span(2, name="a", parent_id=f"{0:016x}", error="ValueError"),
        span(3, name="b", parent_id=f"{2:016x}", process_group="out"),
        span(9, name="c", parent_id=f"{0:016x}"),
    ]
    shown = sk("trace", write(tmp_path / "s.jsonl", spans)).stdout.splitlines()
    assert [re.sub("  +", " | ", line.strip()) for line in shown[3:7]] == [
        "source | in-0.1 | 0 ns | 1.00 µs",
        "├─a raised ValueError | in | 1.00 µs | 2.00 µs | 1.00 µs",
        "│ └─b | out | 0 ns | 3.00 µs | 1.00 µs",
        "└─c | in | 8.00 µs | 9.00 µs | 1.00 µs",
    ]
    assert "took 10.0 µs  busy 4.00 µs  waiting 6.00 µs  errors 1" in shown[1]


def test_a_link_names_the_trace_that_it_leads_to_and_how_many_more_there_are(
    tmp_path: Path,
) -> None:
    links = (SpanLink("b" * 32, "1" * 16), SpanLink("c" * 32, "2" * 16))
    spans = [span(0, kind="producer", links=links), span(1, links=(SpanLink("a" * 32, "3" * 16),))]
    *_, first, second = sk("trace", write(tmp_path / "s.jsonl", spans)).stdout.splitlines()
    assert first.startswith(f"node0 producer -> trace {'b' * 32} and 1 more ")
    assert second.startswith(f"node1 -> {'3' * 16} ")


# ---- the waits ----------------------------------------------------------------------------------


@pytest.fixture
def waiting(tmp_path: Path) -> str:
    """A record that waits for 40 microseconds before a border, and what else is in the file."""
    spans = [
        span(0, name="read", sequence=3, worker="in-0.1"),
        span(41, name="score", sequence=3, parent_id=f"{0:016x}", worker="out-0.1"),
        *(
            span(n, trace_id=f"b{n}", name="score", sequence=n, worker="out-0.1")
            for n in range(5, 15)
        ),
        span(0, trace_id="c", name="read", sequence=99, worker="in-0.1", end_ns=BEGIN + 5_000),
        span(50, trace_id="d", name="late", sequence=100, worker="out-0.1"),
        span(20, trace_id="e", name="elsewhere", sequence=4, worker="out-1.1"),
        span(20, trace_id="f", name="earlier", sequence=4, worker="out-0.1", run_id="before"),
        span(3, trace_id="g", name="process out", kind="consumer", sequence=1, worker="out-0.1"),
    ]
    return write(tmp_path / "waiting.jsonl", spans)


WAITED = [
    "the longest waits, and what the spans in the files tell of their workers",
    "  40.0 \N{MICRO SIGN}s before score",
    "    out-0.1: score 10.0 \N{MICRO SIGN}s (10 spans, records 5 to 14); in batches: process out"
    " 1.00 \N{MICRO SIGN}s (1 span, record 1)",
    "    in-0.1: read 4.00 \N{MICRO SIGN}s (1 span, record 99)",
]


def test_of_a_wait_it_is_told_what_its_workers_did_meanwhile(waiting: str) -> None:
    shown = sk("trace", waiting, "--record", "3").stdout.splitlines()
    begin = shown.index(WAITED[0])
    assert shown[begin : begin + 4] == WAITED


def test_a_page_has_what_workers_did_meanwhile_where_the_wait_is(waiting: str) -> None:
    page = Page(sk("trace", waiting, "--record", "3", "--html", "-").stdout)
    found = [page.text[n + 1] for n, text in enumerate(page.text) if text == "meanwhile"]
    assert found == [line.strip() for line in WAITED[2:]]


def test_where_a_file_cannot_be_read_again_nothing_is_told_of_workers(
    waiting: str, tmp_path: Path
) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    writer = threading.Thread(target=lambda: pipe.write_bytes(Path(waiting).read_bytes()))
    writer.start()
    result = sk("trace", str(pipe), "--record", "3")
    writer.join()
    assert result.exit_code == 0
    assert "40.0 \N{MICRO SIGN}s" in result.stdout
    assert WAITED[0] not in result.stdout


def test_of_a_worker_that_no_span_tells_of_that_is_said() -> None:
    rows = rows_of([span(0, span_id="x"), span(9, parent_id="x")])
    (wait,) = longest_waits(rows)
    assert Meanwhile([wait]).told(wait) == ["in: no span in the files"]


def test_the_waits_that_are_looked_into_are_the_longest_that_are_worth_it() -> None:
    """Before the nth span of a chain it waits for n microseconds."""
    starts = [sum(range(n + 1)) + n for n in range(30)]
    spans = [
        span(start, span_id=f"{n}", parent_id=f"{n - 1}" if n else None, name=f"after {n}")
        for n, start in enumerate(starts)
    ]
    names = [wait.name for wait in longest_waits(rows_of(spans))]
    assert names == [f"after {n}" for n in range(29, 29 - MOST_WAITS, -1)]
    brief = [span(0, span_id="x"), span(1_000, parent_id="x", start_ns=BEGIN + 1_001)]
    assert longest_waits(rows_of(brief)) == []


def test_a_step_of_the_run_itself_is_of_no_record() -> None:
    wait = Wait(0, "next", BEGIN, BEGIN + 99_000, ("in",))
    meanwhile = Meanwhile([wait])
    meanwhile.add(span(1, name="start", sequence=0, start_ns=BEGIN, end_ns=BEGIN + 5))
    assert meanwhile.told(wait) == ["in: start 5 ns (1 span, of the run)"]


def test_the_nodes_of_a_worker_that_took_longest_are_named_and_the_others_counted() -> None:
    wait = Wait(0, "next", BEGIN, BEGIN + 99_000, ("in",))
    meanwhile = Meanwhile([wait])
    for number in range(6):
        took = {"start_ns": BEGIN, "end_ns": BEGIN + number + 1}
        meanwhile.add(span(number, name=f"n{number}", sequence=-number - 1, **took))
    assert meanwhile.told(wait) == [
        "in: n5 6 ns (1 span, of requests), n4 5 ns (1 span, of requests),"
        " n3 4 ns (1 span, of requests), 3 more nodes"
    ]


def test_nothing_in_a_span_moves_the_cursor_of_a_terminal(tmp_path: Path) -> None:
    facts = dict.fromkeys(
        ("name", "worker", "run_id", "error", "trace_id", "parent_id", "kind"), HOSTILE
    )
    path = write(tmp_path / "s.jsonl", [span(0, **facts), span(1, run_id=HOSTILE)])
    for arguments in ([path], [path, "--trace", HOSTILE]):
        assert "\x1b" not in sk("trace", *arguments).stdout


@pytest.mark.parametrize(
    ("nanoseconds", "said"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_234, "1.23 µs"),
        (999_960, "1.00 ms"),
        (34_400_000, "34.4 ms"),
        (750_000_000, "750 ms"),
        (83_000_000_000, "83.0 s"),
    ],
)
def test_a_length_of_time_is_said_in_three_digits(nanoseconds: int, said: str) -> None:
    assert lasting(nanoseconds) == said


# ---- the page -----------------------------------------------------------------------------------


def test_a_page_is_written_and_named(several: str, tmp_path: Path) -> None:
    target = tmp_path / "out.html"
    result = sk("trace", several, "--trace", "ab", "--html", str(target))
    assert (result.exit_code, result.stdout) == (0, f"written: {target}\n")
    page = Page(target.read_text("utf-8"))
    assert page.tags.count("summary") == page.tags.count("details") == 3


def test_where_no_trace_is_chosen_the_first_is_drawn_and_it_is_said_how_many_there_are(
    several: str, tmp_path: Path
) -> None:
    target = tmp_path / "out.html"
    result = sk("trace", several, "--html", str(target))
    told = (
        f"1 of 3 traces is drawn, the longest that failed: {'dd' * 16}, of record 3; without"
        " --html they are listed, and --trace draws another"
    )
    assert (result.exit_code, result.stderr) == (0, told + "\n")
    page = Page(target.read_text("utf-8"))
    assert f"Trace {'dd' * 16}" in page.text
    assert told in page.text
    assert page.tags.count("details") == 2


def test_the_trace_of_the_run_itself_is_drawn_where_there_is_no_other(tmp_path: Path) -> None:
    own, record = chain(9, trace_id="aa", sequence=0), chain(2, trace_id="bb", sequence=1)
    both = write(tmp_path / "both.jsonl", [*own, *record])
    assert "Trace bb" in sk("trace", both, "--html", "-").stdout
    assert "Trace aa" in sk("trace", write(tmp_path / "own.jsonl", own), "--html", "-").stdout


def test_a_pipe_is_read_once_and_where_a_second_time_is_needed_a_choice_is_asked_for(
    several: str, tmp_path: Path
) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")

    def piped(*arguments: str) -> Result:
        writer = threading.Thread(target=lambda: pipe.write_bytes(Path(several).read_bytes()))
        writer.start()
        result = sk("trace", str(pipe), *arguments)
        writer.join()
        return result

    assert "3 traces, 6 spans" in piped().stdout
    asked = piped("--html", "-")
    assert (asked.exit_code, asked.stdout) == (1, "")
    assert asked.stderr.startswith("error: several traces, name one by --trace: ")
    assert f"Trace {'dd' * 16}" in piped("--html", "-", "--trace", "d").stdout


def test_a_page_leads_from_the_number_of_errors_to_the_first_of_them() -> None:
    rows = rows_of([span(0), span(1), span(2, error="ValueError"), span(3, error="KeyError")])
    text = trace_page(rows, 4)
    assert '<dt>errors</dt><dd><a href="#s2">2</a></dd>' in text


def test_a_page_that_cannot_be_written_is_an_error(several: str, tmp_path: Path) -> None:
    result = sk("trace", several, "--trace", "ab", "--html", str(tmp_path))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: cannot write {tmp_path}: ")


def test_a_page_asks_for_nothing_and_runs_nothing_whatever_is_in_the_spans() -> None:
    names = (*("name", "worker", "error", "process_group", "handoff_from", "kind"), "span_id")
    facts = dict.fromkeys(names, HOSTILE)
    links = (SpanLink(HOSTILE, HOSTILE), SpanLink("a" * 32, HOSTILE))
    hostile = span(0, **facts, parent_id=HOSTILE, links=links, attributes={HOSTILE: HOSTILE})
    page = Page(trace_page(rows_of([hostile]), 1, [HOSTILE]))
    assert set(page.tags).isdisjoint({"script", "img", "iframe", "object", "form", "base"})
    wanted = [value for name, value in page.attributes if name in ("href", "src", "action")]
    assert all(value.startswith(("#s", "data:,")) for value in wanted)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    (policy,) = (value for _, value in page.attributes if value.startswith("default-src"))
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert sum(HOSTILE in text for text in page.text) > len(names)


def test_a_page_with_more_spans_than_it_shows_says_so() -> None:
    spans = [span(number) for number in range(MOST_ROWS + 1)]
    page = Page(trace_page(rows_of(spans), len(spans)))
    assert page.tags.count("details") == MOST_ROWS
    assert f"{MOST_ROWS:,} of {MOST_ROWS + 1:,} spans are drawn." in page.text


def test_of_a_trace_without_end_a_bounded_part_is_held_and_that_is_said() -> None:
    chosen = Chosen("")
    for _ in range(MOST_SPANS + 1):
        chosen.add(span(0))
    assert (len(chosen.spans), chosen.count) == (MOST_SPANS, MOST_SPANS + 1)
    facts = dict(facts_of(chosen.spans, chosen.count))
    assert facts["spans"] == f"{MOST_SPANS + 1:,}, of which the first {MOST_SPANS:,} in the files"

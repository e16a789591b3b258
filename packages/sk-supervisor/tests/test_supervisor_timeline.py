"""``sk timeline``: the lives of workers, of the lifecycle events that were logged."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec import structs
from sk_kernel import LifecycleEvent
from sk_observability import LifecycleLog, build_log_exporters
from sk_supervisor import NotRecordedError, read_events, timeline_html
from sk_supervisor._pages.timeline import SUPERVISOR, Timeline, timeline_of
from sk_supervisor._pages.timeline_events import MOST_EVENTS
from sk_supervisor.cli import main

BEGIN = 1_700_000_000_000_000_000
MILLI = 1_000_000
HOSTILE = "</dd><script src=//x.example/x.js>'\"&\x1b[2J"
LIFE = ("spawned", "bootstrap_loaded", "ready", "running", "drained", "stopping", "stopped")


def told(*names: str | tuple[str, str, dict[str, Any]], run: str = "r1") -> list[LifecycleEvent]:
    """Events a millisecond apart: of the supervisor, or (name, worker, fields)."""
    events = []
    for number, each in enumerate(names):
        name, worker, fields = (each, None, {}) if isinstance(each, str) else each
        events.append(
            LifecycleEvent(
                sequence=number + 1,
                time_ns=BEGIN + number * MILLI,
                name=name,
                correlation_id=run,
                group=None if worker is None else worker.rpartition("-")[0],
                worker=worker,
                fields=fields,
            )
        )
    return events


def life(worker: str, *names: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [(f"worker_{name}", worker, {}) for name in names]


def states(timeline: Timeline) -> dict[str, list[tuple[str, str, int]]]:
    """Each lane's stretches: state, worker, milliseconds."""
    return {
        life.name: [(s.state, s.worker, s.length_ns // MILLI) for s in life.stretches]
        for life in timeline.lives
    }


def write(path: Path, events: list[LifecycleEvent], behind: bytes = b"") -> str:
    """A log file, as the exporter writes it."""
    (outlet,) = build_log_exporters([("jsonl", {"path": str(path)})])
    outlet.export(events)
    outlet.close()
    with path.open("ab") as file:
        file.write(behind)
    return str(path)


def sk(*arguments: str) -> Result:
    """Run ``sk timeline`` in this process."""
    return CliRunner().invoke(main, ["timeline", *arguments], catch_exceptions=False)


class Page(HTMLParser):
    """The tags and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [v or "" for name, v in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


# ---- lives --------------------------------------------------------------------------------------


def test_a_worker_has_a_lane_with_its_states_in_their_order() -> None:
    steps = ("supervisor_start_groups", *life("in-0.1", *LIFE), "supervisor_graceful_stop")
    assert states(timeline_of(told(*steps))) == {
        SUPERVISOR: [("starting", SUPERVISOR, 8), ("stopping", SUPERVISOR, 0)],
        "in-0": [
            (state, "in-0.1", 1)
            for state in ("starting", "loaded", "ready", "running", "drained", "stopping")
        ],
    }


def test_a_restarted_worker_goes_on_in_the_lane_of_its_predecessor() -> None:
    first = life("in-0.1", "spawned", "running", "failed", "stopped")
    events = told(*first, *life("in-0.2", "spawned", "ready", "stopped"))
    timeline = timeline_of(events)
    assert states(timeline)["in-0"] == [
        ("starting", "in-0.1", 1),
        ("running", "in-0.1", 1),
        ("failed", "in-0.1", 1),
        ("starting", "in-0.2", 1),
        ("ready", "in-0.2", 1),
    ]
    assert timeline.failures == 1


def test_a_worker_of_a_killed_supervisor_lives_until_the_end_of_the_log() -> None:
    (stretch,) = timeline_of(told(*life("in-0.1", "spawned"), "drain_begun")).lives[1].stretches
    assert (stretch.length_ns, stretch.ended) == (MILLI, False)


def test_events_are_taken_by_their_number_and_not_as_they_stand() -> None:
    events = told(*life("in-0.1", *LIFE))
    assert timeline_of(events[::-1]) == timeline_of(events)


def test_what_is_out_of_the_ordinary_is_marked_and_a_group_has_no_lane() -> None:
    stuck = ("worker_stuck", "in-0.1", {"process": "stopped"})
    group = LifecycleEvent(sequence=9, time_ns=BEGIN, name="group_ready", group="in")
    timeline = timeline_of([*told("refused", *life("in-0.1", "spawned"), stuck), group])
    assert {life.name: [e.name for e in life.marks] for life in timeline.lives} == {
        SUPERVISOR: ["refused"],
        "in-0": ["worker_stuck"],
    }


# ---- figure and page ----------------------------------------------------------------------------


def test_the_figure_is_a_fragment_that_brings_its_style_and_asks_for_nothing() -> None:
    figure = timeline_html(told(*life("in-0.1", *LIFE)), notes=["a note"])
    page = Page(figure)
    assert figure.startswith("<figure")
    assert set(page.tags).isdisjoint({"html", "head", "body", "script", "img", "link", "form"})
    assert page.addresses == []
    assert page.tags.count("details") == page.tags.count("summary") == 2
    assert "a note" in page.text
    style = figure[figure.index("<style>") : figure.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_what_is_in_the_events_is_text_and_nothing_else() -> None:
    hostile = [(HOSTILE, HOSTILE, {HOSTILE: HOSTILE}), ("worker_spawned", HOSTILE, {})]
    page = Page(timeline_html(told(*hostile, run=HOSTILE), notes=[HOSTILE]))
    assert "script" not in page.tags
    assert sum(HOSTILE in text for text in page.text) >= 4


def test_no_events_are_no_timeline() -> None:
    with pytest.raises(ValueError, match="at least one event"):
        timeline_html([])


def test_a_failed_worker_and_its_category_are_seen_without_opening_its_lane() -> None:
    failed = ("worker_failed", "in-0.1", {"category": "crash"})
    page = Page(timeline_html(told(*life("in-0.1", "spawned"), failed)))
    assert "\N{MULTIPLICATION X} crash" in page.text


def test_the_last_lines_of_a_worker_are_a_text_in_its_lane_with_their_breaks() -> None:
    failed = ("worker_failed", "in-0.1", {"stderr_tail": "first\n  second"})
    figure = timeline_html(told(*life("in-0.1", "spawned"), failed))
    assert "<pre>stderr_tail:\nfirst\n  second</pre>" in figure


# ---- files and the command ----------------------------------------------------------------------


def test_what_the_log_writes_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = LifecycleLog("r1", build_log_exporters([("jsonl", {"path": str(path)})]))
    emitted = [
        log.emit("worker_spawned", group="in", worker="in-0.1", fields={"pid": 7}),
        log.emit("drain_begun"),
    ]
    log.close()
    read = read_events(path)
    keys = ("sequence", "name", "level", "correlation_id", "group", "worker", "fields")
    assert [[getattr(e, key) for key in keys] for e in read] == [
        [getattr(e, key) for key in keys] for e in emitted
    ]
    assert all(e and abs(e.time_ns - r.time_ns) < 1_000 for e, r in zip(emitted, read, strict=True))


def test_the_run_that_wrote_last_is_shown_and_the_others_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "log", told("drain_begun", run="old") + told("drain_begun", run="new"))
    result = sk(path)
    assert result.exit_code == 0
    assert result.stdout.startswith("run new ")
    assert result.stderr == "warning: The files hold events of other runs too: old.\n"
    assert sk(path, "--run", "old").stdout.startswith("run old ")


def test_of_two_runs_of_one_id_the_last_is_shown_or_the_one_chosen_and_that_is_said(
    tmp_path: Path,
) -> None:
    first = told(*life("in-0.1", "spawned", "ready", "stopped"))
    later = [
        structs.replace(e, time_ns=e.time_ns + 60_000 * MILLI)
        for e in told(*life("a-0.1", "spawned"), *life("b-0.1", "spawned"))
    ]
    path = write(tmp_path / "log", first + later)
    both = "The files hold 2 runs of the id r1, one after the other: number"
    for options, number, workers in ((), 2, 2), (("--which", "1"), 1, 1):
        result = sk(path, *options)
        assert result.stdout.startswith(f"run r1  workers {workers} ")
        assert result.stderr == f"warning: {both} {number} is shown, --which chooses.\n"
    assert [event.worker for event in read_events(path)] == ["a-0.1", "b-0.1"]
    missing = f"error: there is no lifecycle event of run 'r1', number 3 in {path}\n"
    assert sk(path, "--which", "3").stderr == missing


def test_one_run_in_two_files_is_one_whichever_is_named_first(tmp_path: Path) -> None:
    events = told(*life("in-0.1", *LIFE))
    older, newer = write(tmp_path / "log.1", events[:3]), write(tmp_path / "log", events[3:])
    result = sk(newer, older)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == sk(older, newer).stdout


def test_states_are_printed_with_their_lengths_and_faults_below(tmp_path: Path) -> None:
    stuck = ("worker_stuck", "in-0.1", {"process": "stopped"})
    events = told(*life("in-0.1", "spawned", "ready"), stuck, *life("in-0.1", "stopped"))
    head, columns, row, mark = sk(write(tmp_path / "log", events)).stdout.splitlines()
    assert head.startswith("run r1  workers 1  failures 0  began 2023-11-14 22:13:20.000 UTC")
    assert columns.split()[:4] == ["worker", "at", "starting", "loaded"]
    assert row.split()[:8] == ["in-0.1", "0", "ns", "1.00", "ms", "-", "2.00", "ms"]
    assert mark == "2.00 ms  in-0.1  worker_stuck process=stopped"


def test_a_log_that_ends_before_its_run_has_a_last_event_in_place_of_a_length(
    tmp_path: Path,
) -> None:
    ended, open_ = told(*life("in-0.1", *LIFE)), told(*life("in-0.1", "spawned", "running"))
    (head, *_) = sk(write(tmp_path / "ended.jsonl", ended)).stdout.splitlines()
    assert head.endswith("UTC  took 6.00 ms")
    (head, *_) = sk(write(tmp_path / "open.jsonl", open_)).stdout.splitlines()
    assert head.endswith("UTC  last event after 1.00 ms")


def test_the_last_lines_of_a_worker_are_printed_one_below_the_other(tmp_path: Path) -> None:
    tail = "first\n  \x1b[2Jsecond"
    failed = ("worker_failed", "in-0.1", {"category": "crash", "stderr_tail": tail, "batches": 3})
    events = told(*life("in-0.1", "spawned"), failed)
    assert sk(write(tmp_path / "log", events)).stdout.splitlines()[-4:] == [
        "1.00 ms  in-0.1  worker_failed category=crash, batches=3",
        "    stderr_tail:",
        "      first",
        "        \N{REPLACEMENT CHARACTER}[2Jsecond",
    ]


def test_what_is_out_of_the_ordinary_is_printed_in_the_order_in_which_it_happened(
    tmp_path: Path,
) -> None:
    stuck = [("worker_stuck", worker, {}) for worker in ("b-0.1", "a-0.1", "b-0.1")]
    events = told(*life("b-0.1", "spawned"), *life("a-0.1", "spawned"), *stuck, "drain_begun")
    marks = sk(write(tmp_path / "log", events)).stdout.splitlines()[-4:]
    assert [(mark.split()[0], mark.split()[2]) for mark in marks] == [
        ("2.00", "b-0.1"),
        ("3.00", "a-0.1"),
        ("4.00", "b-0.1"),
        ("5.00", "supervisor"),
    ]


def test_a_page_is_written_and_named(tmp_path: Path) -> None:
    target = tmp_path / "out.html"
    result = sk(write(tmp_path / "log", told(*life("in-0.1", *LIFE))), "--html", str(target))
    assert (result.exit_code, result.stdout) == (0, f"written: {target}\n")
    assert "Timeline of run r1" in Page(target.read_text("utf-8")).text


def test_a_line_that_cannot_be_read_is_told_and_fails_and_a_half_one_does_not(
    tmp_path: Path,
) -> None:
    half = write(tmp_path / "half", told("drain_begun"), behind=b'{"sequence":2,"ti')
    bad = write(tmp_path / "bad", told("drain_begun"), behind=b'{"sequence":2}\n')
    assert (sk(half).exit_code, sk(bad).exit_code) == (0, 1)
    assert f"warning: {half}:2: incomplete line" in sk(half).stderr
    assert f"warning: {bad}:2: Object missing required field `time`" in sk(bad).stderr


def test_without_events_of_a_run_there_is_no_timeline(tmp_path: Path) -> None:
    path = write(tmp_path / "log", told("drain_begun"))
    result = sk(path, "--run", "other")
    told_of = f"error: there is no lifecycle event of run 'other' in {path}\n"
    assert (result.exit_code, result.stderr) == (1, told_of)
    with pytest.raises(NotRecordedError):
        read_events(path, "other")


def test_of_a_log_without_end_a_bounded_part_is_held_and_that_is_said(tmp_path: Path) -> None:
    line = {"time": "2024-01-01T00:00:00Z", "event": "refused", "correlation_id": "r1"}
    path = tmp_path / "log"
    with path.open("w") as file:
        for number in range(MOST_EVENTS + 3):
            file.write(json.dumps({"sequence": number, **line}) + "\n")
    result = sk(str(path), "--html", str(tmp_path / "out.html"))
    assert result.stderr == "warning: 3 events more were read than are held.\n"

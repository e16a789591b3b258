"""What a profiled run measures, and what is told of it."""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sk_kernel import LifecycleEvent
from sk_kernel.runtime import Stage, Stopwatch
from sk_supervisor import ProfileError
from sk_supervisor._profile.measures import WAIT, ProcessProfile, Profiler, read_profiles
from sk_supervisor._profile.start_steps import Start, start_of
from sk_supervisor._profile.table import as_text
from supervisor_harness import GROUPS, PATIENCE, Command, expected, settings
from supervisor_runs import MODES

Sk = Callable[..., Command]
MILLISECOND = 1_000_000
linux = pytest.mark.skipif(sys.platform != "linux", reason="told by Linux alone")
START = Start(began=1, configured=1, gate=1, spawned={"b-0.1": 2, "a-0.1": 3}, ready={})


def profile(worker_id: str = "a-0.1", **fields: Any) -> ProcessProfile:
    fields.setdefault("stages", [Stage("parse", 3, 0.002, 0.001), Stage(WAIT, 4, 0.0, 1.0)])
    known = {"group": "a", "records": 1000, "seconds": 2.0, "cpu_seconds": 0.005}
    return ProcessProfile(worker_id=worker_id, **{**known, **fields})


def line_of(text: str, name: str) -> list[str]:
    """What stands behind a name, of processes each by itself."""
    alone = re.sub(r"^all processes\n(  .*\n)+", "", text, flags=re.MULTILINE)
    (line,) = [line for line in alone.splitlines() if line.strip().startswith(name)]
    return line.strip().removeprefix(name).split()


def test_a_stage_is_told_in_microseconds_for_each_record() -> None:
    assert line_of(as_text([profile()], START), "parse") == ["2.000", "1.000", "3"]


def test_what_no_stage_measured_is_told_as_everything_else() -> None:
    text = as_text([profile()], START)
    assert line_of(text, "everything else") == ["3.000"]
    assert line_of(text, "in all") == ["5.000"]


def test_threads_that_no_stage_is_of_are_told_by_name_and_add_up() -> None:
    text = as_text([profile(threads={"pulse": 0.0015, "idle": 0.0000009})], START)
    assert line_of(text, "thread pulse") == ["1.500"]
    assert "idle" not in text
    assert line_of(text, "everything else") == ["1.500"]


def test_all_processes_are_told_by_what_their_time_went_into() -> None:
    worker = [
        Stage("source read", 1, 0.001),
        Stage("parse", 1, 0.002),
        Stage("frame sign", 1, 0.001),
    ]
    hub = {"hub relay": 0.003, "MainThread": 0.001}
    profiles = [
        profile("a-0.1", stages=worker, cpu_seconds=0.006),
        profile("supervisor", stages=[], threads=hub, cpu_seconds=0.004),
    ]
    told = as_text(profiles, START).partition("all processes\n")[2].splitlines()[:5]
    assert [line.split("  ")[1] for line in told] == [
        *("nodes", "source and sink", "from process to process", "everything else", "in all")
    ]
    assert [line.split()[-3:] for line in told[:4]] == [
        *(["2.000", "20", "%"], ["1.000", "10", "%"]),
        *(["4.000", "40", "%"], ["3.000", "30", "%"]),
    ]


def test_making_and_exporting_spans_and_logs_is_a_kind_where_there_are_any() -> None:
    """In stages of workers, and in threads of exporters, whoever's they are."""
    exporting = {"export lines": 0.001}
    worker = profile(
        stages=[Stage("parse", 1, 0.002), Stage("trace spans", 3, 0.002)],
        threads=exporting,
        cpu_seconds=0.005,
    )
    hub = profile("supervisor", stages=[], threads=exporting, cpu_seconds=0.005)
    told = as_text([worker, hub], START).partition("all processes\n")[2].splitlines()
    assert told[3].split("  ")[1] == "spans and logs"
    assert told[3].split()[-3:] == ["4.000", "40", "%"]
    assert told[4].split()[-3:] == ["4.000", "40", "%"]  # everything else


@pytest.mark.parametrize(("seconds", "cell"), [(0.0999, "99.900"), (12.3456, "12,346")])
def test_large_figures_have_no_thousandths_and_columns_do_not_run_together(
    seconds: float, cell: str
) -> None:
    text = as_text([profile(stages=[Stage("parse", 3, seconds, seconds)])], START)
    assert line_of(text, "parse") == [cell, cell, "3"]


def test_waiting_for_work_is_told_as_a_share_of_the_time() -> None:
    assert "a-0.1: 1,000 records in 2.00 s, processor 0 %, without work 50 %" in as_text(
        [profile()], START
    )


def test_of_records_that_several_workers_share_each_tells_its_own() -> None:
    text = as_text([profile("a-0.1", own=488), profile("b-0.1", own=1000)], START)
    assert "a-0.1: 488 of 1,000 records in 2.00 s" in text
    assert "b-0.1: 1,000 records in 2.00 s" in text


def test_the_first_record_is_there_when_the_source_s_first_read_is_through() -> None:
    """Whether or not the source decodes what it has read."""
    watch, before = Stopwatch(), time.time_ns()
    watch.timed("source read", lambda: [1])()
    (stage,) = watch.stages()
    text = as_text([profile(stages=[stage])], replace(START, gate=before))
    assert float(line_of(text, "gate to the first record read")[0]) >= 0


def test_a_stage_that_was_never_reached_is_not_told() -> None:
    assert "decode" not in as_text([profile(stages=[Stage("decode")])], START)


def test_a_run_without_records_is_told_too() -> None:
    assert line_of(as_text([profile(records=0)], START), "in all") == ["0.000"]


def test_processes_are_told_in_the_order_in_which_they_were_spawned() -> None:
    text = as_text([profile("a-0.1"), profile("b-0.1"), profile("supervisor")], START)
    heads = [line.split(":")[0] for line in text.splitlines() if " records in " in line]
    assert heads == ["b-0.1", "a-0.1", "supervisor"]


def test_a_worker_s_start_is_told_step_by_step() -> None:
    steps = ("interpreter", "imported", "called", "connected", "told", "ready")
    marks = {name: 3 + (i + 1) ** 2 * MILLISECOND for i, name in enumerate(steps)}
    text = as_text([profile(marks=marks)], START)
    assert line_of(text, "imports") == ["3.0"]
    assert line_of(text, "bundle") == ["9.0"]


def test_a_process_that_began_before_its_supervisor_took_it_is_told_from_there_on() -> None:
    steps = ("spawned", "interpreter", "imported", "called", "connected", "told", "ready")
    marks = {name: 3 + i * MILLISECOND for i, name in enumerate(steps)}
    start = start_of(1, 3 - MILLISECOND, ())
    text = as_text([profile(marks=marks)], start)
    assert line_of(text, "spawn: until the interpreter runs") == ["1.0"]
    assert line_of(text, "preflight, until the first worker is spawned") == ["1.0"]


def test_a_start_is_read_from_events_of_a_restarted_worker_the_first() -> None:
    names = ["worker_spawned", "worker_ready", "supervisor_start_workload", "worker_spawned"]
    events = [
        LifecycleEvent(sequence=n, time_ns=10 * n, name=name, worker="a-0.1" if n != 3 else None)
        for n, name in enumerate(names, 1)
    ]
    assert start_of(5, 6, events) == Start(5, 6, 30, {"a-0.1": 10}, {"a-0.1": 20})


def test_a_profile_is_read_as_it_was_written(tmp_path: Path) -> None:
    profiler = Profiler(str(tmp_path), worker_id="a-0.1", group="a", marks={"interpreter": 7})
    profiler.main.timed("parse", lambda: None)()
    profiler.write(12)
    (told,) = read_profiles(str(tmp_path))
    assert (told.worker_id, told.group, told.records) == ("a-0.1", "a", 12)
    assert [(stage.name, stage.calls) for stage in told.stages] == [("parse", 1)]
    assert told.marks == {"interpreter": 7}


@linux
def test_a_thread_s_processor_time_is_its_own_and_that_of_a_stage_s_thread_is_the_stage_s(
    tmp_path: Path,
) -> None:
    profiler = Profiler(str(tmp_path), worker_id="a-0.1", group="a")
    profiler.begin()
    measured, received, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began = time.thread_time()
        while time.thread_time() < began + 0.02:
            pass
        measured.set()
        done.wait(PATIENCE)

    def receive() -> None:
        profiler.data.timed("frame receive", lambda: None)()
        received.set()
        done.wait(PATIENCE)

    threads = [threading.Thread(target=work, name="hard at it"), threading.Thread(target=receive)]
    for thread in threads:
        thread.start()
    try:
        assert measured.wait(PATIENCE)
        assert received.wait(PATIENCE)
        profiler.write(1)
    finally:
        done.set()
        for thread in threads:
            thread.join(PATIENCE)
    (told,) = read_profiles(str(tmp_path))
    assert told.threads["hard at it"] >= 0.02
    assert threads[1].name not in told.threads


def test_a_profile_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot write a profile: "):
        Profiler(str(tmp_path / "none"), worker_id="a-0.1", group="a").write(1)


def test_who_hears_of_a_profile_that_cannot_be_written_has_no_error(tmp_path: Path) -> None:
    heard: list[ProfileError] = []
    Profiler(str(tmp_path / "none"), worker_id="a-0.1", group="a", on_failure=heard.append).write(1)
    assert [error.action for error in heard] == ["write"]


def test_a_profile_is_written_into_its_folder_whatever_its_group_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "of" / "runs"
    folder.mkdir(parents=True)
    Profiler(str(folder), worker_id="../../x-0.1", group="../../x").write(1)
    assert [told.worker_id for told in read_profiles(str(folder))] == ["../../x-0.1"]
    assert [path.name for path in tmp_path.iterdir()] == ["of"]


@pytest.mark.parametrize("damaged", [b"{", b'{"worker_id": "\xff"}'])
def test_a_profile_that_is_damaged_says_so(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "a-0.1.profile").write_bytes(damaged)
    with pytest.raises(ProfileError, match="cannot read a profile: "):
        read_profiles(str(tmp_path))


def test_a_profiled_run_over_processes_tells_of_every_one_and_does_its_work(
    target: Path, sk: Sk
) -> None:
    code, _, err = sk("run", settings(target), "--profile-run", "--run-id", "r1").finish()
    assert code == 0
    assert target.read_text().splitlines() == expected(20)
    told = [line.split(":")[0] for line in err.splitlines() if " records in " in line]
    assert told[1:] == [*(f"{group['name']}-0.1" for group in GROUPS), "supervisor"]
    for stage in ("source read", "frame encode", "frame sign", "frame send", "frame verify"):
        assert stage in err
    assert sys.platform != "linux" or "thread hub relay" in err
    assert "imports" in err


def test_a_profiled_run_that_is_traced_tells_what_spans_cost_in_every_worker(
    target: Path, sk: Sk
) -> None:
    config = settings(target)
    spans = {"kind": "jsonl", "settings": {"path": str(target.with_suffix(".spans"))}}
    config["runtime"]["observability"] = {"tracing": {"exporters": [spans]}}
    code, _, err = sk("run", config, "--profile-run", "--run-id", "r1").finish()
    assert code == 0
    assert err.count("\n  trace spans ") == len(GROUPS)
    assert "\n  spans and logs " in err


def test_a_profiled_run_in_this_process_tells_of_its_nodes(target: Path, sk: Sk) -> None:
    config = settings(target, mode="inline", groups=())
    code, _, err = sk("run", config, "--profile-run", "--quiet", "--run-id", "r1").finish()
    assert code == 0
    assert target.read_text().splitlines() == expected(20)
    assert "memory-0.1: 20 records in" in err
    assert "completed" not in err


@MODES
def test_a_profiled_run_that_only_serves_requests_commits_when_it_is_stopped(
    target: Path, run_dir: Path, sk: Sk, ask: Callable[..., tuple[int, str, str]], mode: str
) -> None:
    groups = [{"name": "mid", "nodes": ["split", "work", "tally_up", "sink:sink"]}]
    config = settings(target, mode=mode, groups=groups if mode == "process_supervisor" else ())
    config["adapters"]["source"] = {"name": "requests"}
    run_id = f"profiled_{mode}"
    command = sk(
        *("run", config, "--profile-run", "--run-id", run_id),
        environment={"SK_RUN_DIR": str(run_dir)},
    )
    ready = False
    while not ready and command.process.poll() is None:
        code, out, _ = ask("status", run_id, "--json", SK_RUN_DIR=str(run_dir))
        ready = code == 0 and json.loads(out)["ready"]
    command.signal(signal.SIGTERM)
    code, _, err = command.finish()
    assert (code, ready) == (0, True), err
    assert target.read_text() == "total 0\n"


@pytest.mark.parametrize(
    "mode", ["inline", pytest.param("process_supervisor", marks=pytest.mark.soak)]
)
def test_a_run_that_is_done_is_told_so_also_where_its_profile_cannot_be_written(
    target: Path, tmp_path: Path, sk: Sk, mode: str
) -> None:
    """A node takes away the folder, in mid-run."""
    groups = GROUPS if mode == "process_supervisor" else ()
    config = settings(target, mode=mode, groups=groups, work={"at": 5, "do": "rob"})
    command = sk(
        *("run", config, "--profile-run", "--run-id", "r1"), environment={"TMPDIR": str(tmp_path)}
    )
    code, _, err = command.finish()
    assert code == 0, err
    assert target.read_text().splitlines() == expected(20)
    assert "completed: supervised" in err
    assert err.splitlines()[-2:] == [
        "error: cannot write a profile: No such file or directory",
        "error: nothing was measured",
    ]


def test_a_profiled_run_that_is_refused_ends_as_any_other(
    target: Path, ask: Callable[..., tuple[int, str, str]]
) -> None:
    code, _, err = ask("run", settings(target), "--set", "scenario=''", "--profile-run")
    assert code == 2
    assert "where a record's time goes" not in err

"""Starts that fail: what the supervisor makes of them, on real processes."""

from __future__ import annotations

import errno
import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from letters_config import MODES, letters_config
from sk_config import Config, build_config
from sk_supervisor import (
    Prepared,
    RunRefusedError,
    RuntimeLifecycleReadyError,
    RuntimeWorkerFailedError,
    prepare,
    run,
)
from sk_supervisor._processes.process import WorkerProcess
from sk_supervisor._processes.spawn import Standard, WorkerStart
from sk_supervisor._run import execute
from supervisor_harness import (
    GROUPS,
    MIDDLE,
    ONE_GROUP,
    PATIENCE,
    Ears,
    descriptors,
    gone,
    in_time,
    opened_since,
    settings,
    supervised,
)


@pytest.mark.parametrize("where", ["source", "sink"])
@pytest.mark.contract("BOOT-API-03")
def test_an_adapter_that_cannot_be_opened_fails_the_start(target: Path, where: str) -> None:
    faulty: dict[str, Any] = {where: {"fails": "open"}}
    with supervised(target, groups=ONE_GROUP, **faulty) as run:
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError, match="failed to open") as caught:
            run.supervisor.wait_ready(PATIENCE)
        assert (caught.value.category, caught.value.exit_code) == ("start", 3)


@pytest.mark.contract("BOOT-API-03", "P5PRE-SUP-02", "PROC-INT-07")
def test_a_worker_that_dies_before_its_hello_fails_the_start_at_once(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In front of everything on the module search path, which workers inherit.
    (tmp_path / "grpc.py").write_text("raise ImportError('no grpc today')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with supervised(target, groups=ONE_GROUP) as run:
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError) as caught:
            run.supervisor.wait_ready(PATIENCE)
        error = caught.value
        assert (error.category, error.exit_code) == ("crash", 3)
        cause = error.__cause__
        assert isinstance(cause, RuntimeWorkerFailedError)
        assert cause.ended == "exit code 1"
        assert cause.stderr_tail[-1] == "ImportError: no grpc today"
        assert "no grpc today" in str(error)


@pytest.mark.contract("BOOT-API-03", "CHILD-BOOT-01")
@pytest.mark.parametrize(
    ("kind", "category", "says"),
    [
        ("raise", "start", "ValueError: this module cannot be imported"),
        ("exit", "crash", "\n  | about to leave"),
    ],
)
def test_a_module_that_breaks_in_the_worker_fails_the_start_at_once(
    target: Path, monkeypatch: pytest.MonkeyPatch, kind: str, category: str, says: str
) -> None:
    monkeypatch.setenv("SK_TEST_IMPORT", kind)
    modules = ("fragile_app", "supervised_app")
    with supervised(target, groups=ONE_GROUP, modules=modules) as run:
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError) as caught:
            run.supervisor.wait_ready(PATIENCE)
        assert caught.value.category == category
        assert says in str(caught.value)


@pytest.mark.contract("BOOT-API-03")
def test_a_node_that_cannot_be_made_fails_the_start(target: Path) -> None:
    with supervised(target, groups=ONE_GROUP, work={"born": "raise"}) as run:
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError) as caught:
            run.supervisor.wait_ready(PATIENCE)
        assert caught.value.category == "start"
        assert "work" in str(caught.value)


def test_a_span_exporter_that_cannot_be_opened_fails_the_start(
    target: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "spans"
    folder.mkdir()
    exporter = {"kind": "jsonl", "settings": {"path": str(folder / "spans.jsonl")}}
    tracing = {"tracing": {"exporters": [exporter]}}
    with supervised(target, groups=ONE_GROUP, observability=tracing) as run:
        folder.rmdir()  # behind the preflight, which has found it
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError, match=r"tracing\.exporters\[0\]") as caught:
            run.supervisor.wait_ready(PATIENCE)
        assert caught.value.category == "start"


@pytest.mark.parametrize("mode", MODES)
def test_dead_letters_that_cannot_be_opened_fail_the_start_in_both_profiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    (folder := tmp_path / "letters").mkdir()
    configuration = letters_config(tmp_path, mode)
    configuration["runtime"]["failure"]["dead_letter"] = {"path": str(folder / "dead")}

    def prepared(config: Config) -> Prepared:
        made = prepare(config)
        folder.rmdir()
        return made

    monkeypatch.setattr(execute, "prepare", prepared)
    said = io.StringIO()
    assert run(build_config(configuration), run_id="r1", stderr=said) == 3
    assert f"dead letters: cannot open {folder / 'dead'}: [Errno 2] " in said.getvalue()


@pytest.mark.contract("P5PRE-SUP-02", "P5PRE-READY-02", "PROC-INT-07")
def test_a_worker_that_is_late_fails_the_start_by_its_own_timeout(target: Path, ears: Ears) -> None:
    late = [{**g, "start_timeout_seconds": 2 if g["name"] == "mid" else 600} for g in GROUPS]
    with supervised(target, work={"born": "wait", "ears": ears.port}, groups=late) as run:
        began = time.monotonic()
        run.start()
        with in_time(), pytest.raises(RuntimeLifecycleReadyError) as caught:
            run.supervisor.wait_ready(600)
        error = caught.value
        assert (error.category, error.workers) == ("timeout", (MIDDLE,))
        assert time.monotonic() - began >= 2
        assert "not ready within 2 s" in str(error)


@pytest.mark.contract("P5PRE-SUP-02", "P5PRE-READY-02")
def test_the_wait_for_readiness_ends_with_its_own_time(target: Path, ears: Ears) -> None:
    work = {"born": "wait", "ears": ears.port}
    with supervised(target, groups=ONE_GROUP, work=work) as run:
        assert run.supervisor.wait_ready(0) is False
        run.start()
        ears.hear("born")
        assert run.supervisor.wait_ready(0.05) is False
        assert run.supervisor.wait_ready(-1) is False
        assert run.supervisor.shutdown() in ("stop", "kill")
        assert gone(run.pids(), within=0)


@pytest.mark.contract("P5PRE-SUP-02", "P5PRE-READY-02")
@pytest.mark.parametrize(
    "readiness", [{}, {"start_work_on_all_groups_ready": False}, {"enabled": False}]
)
def test_workers_that_are_not_ready_in_time_fail_the_start_whatever_the_gate_waits_for(
    target: Path, ears: Ears, readiness: dict[str, bool]
) -> None:
    platform = {"readiness": {**readiness, "readiness_timeout_seconds": 2}}
    work, stderr = {"born": "wait", "ears": ears.port}, io.StringIO()
    configuration = build_config(settings(target, work=work, platform=platform))
    assert run(configuration, quiet=True, stderr=stderr) == 3
    assert "start failed (timeout) after 2.0 s: not ready: " in stderr.getvalue()
    assert MIDDLE in stderr.getvalue()
    assert target.read_text() == "old\n"


@pytest.mark.parametrize("plane", ["data", "control"])
@pytest.mark.contract("BOOT-API-03")
def test_a_port_in_use_fails_the_start_and_starts_nothing(
    target: Path, ears: Ears, plane: str
) -> None:
    ipc: dict[str, Any] = {"bind_port": ears.port}
    if plane == "control":
        ipc = {"control": {"transport": "tcp_local", "bind_port": ears.port}}
    with supervised(target, ipc=ipc) as run:
        with pytest.raises(RuntimeLifecycleReadyError, match=f"{ears.port}.*in use") as caught:
            run.start()
        assert caught.value.exit_code == 3
        assert run.pids() == []


def test_placement_faults_are_all_found_before_anything_starts(target: Path) -> None:
    groups = [
        {"name": "in", "nodes": ["source:source", "split", "tally_up"]},
        {"name": "mid", "nodes": ["work", "nobody"], "runners": ["counting"]},
        {"name": "idle", "stages": ["none_such"]},
    ]
    with pytest.raises(RunRefusedError) as caught:
        prepare(build_config(settings(target, groups=groups)))
    assert {f.category for f in caught.value.faults} == {
        "placed_twice",
        "unknown_node",
        "unplaced",
        "empty_group",
    }


@contextmanager
def no_more_threads() -> Iterator[None]:
    """The system has none to give: no address space holds such a stack."""
    before = threading.stack_size(1 << 60)
    try:
        yield
    finally:
        threading.stack_size(before)


def test_a_worker_that_no_thread_can_watch_is_not_left_alive() -> None:
    start = WorkerStart(
        "a-0.1", "a", 0, 1, "127.0.0.1:1", "00", "s", 30, {}, Standard(False, False)
    )
    open_before = descriptors()
    with no_more_threads(), pytest.raises(OSError, match="thread") as caught:
        WorkerProcess(start, on_exit=lambda _: None, on_line=lambda *_: None)
    assert caught.value.errno == errno.EAGAIN
    assert psutil.Process().children() == []
    assert opened_since(open_before) == set()


def test_a_group_whose_workers_no_thread_can_watch_fails_the_start(target: Path) -> None:
    with supervised(target) as run:
        run.start("in")
        with no_more_threads(), pytest.raises(RuntimeLifecycleReadyError, match="thread") as caught:
            run.start("mid")
        assert (caught.value.category, caught.value.exit_code) == ("spawn", 3)
        assert [child.pid for child in psutil.Process().children()] == run.pids()
        assert len(run.pids()) == 1

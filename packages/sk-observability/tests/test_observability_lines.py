"""Files that several write to and that fill up, and a standard output that breaks."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sk_kernel import NodeSpan
from sk_observability import build_span_exporters

WRITER = """
import sys
from sk_kernel import NodeSpan
from sk_observability import build_span_exporters

path, worker = sys.argv[1:]
[outlet] = build_span_exporters([("jsonl", {"path": path})], worker=worker)
print("ready", flush=True)
sys.stdin.readline()
for batch in range(200):
    outlet.export([
        NodeSpan(trace_id="t" * 32, span_id="s" * 16, parent_id=None, name="n" * 200,
                 process_group="g", route_hop=0, handoff_from=None, sequence=batch * 20 + i,
                 start_ns=0, end_ns=1)
        for i in range(20)
    ])
outlet.close()
assert outlet.counts.exported == 4000, outlet.counts
"""

FULL_DISK = """
import os, resource, sys
from sk_kernel import LifecycleEvent
from sk_observability import build_log_exporters

[outlet] = build_log_exporters([("jsonl", {"path": sys.argv[1]})])
def emit(*sequences):
    outlet.export([
        LifecycleEvent(sequence=n, time_ns=0, name="e" * 200, correlation_id="run")
        for n in sequences
    ])
    while outlet.counts.pending:
        os.sched_yield()
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (800, most))  # room for two lines and a part of the third
emit(1, 2, 3, 4)
emit(5)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
emit(6)
counts = outlet.counts
print(counts.created, counts.exported, counts.dropped)
"""


def test_lines_of_several_processes_in_one_file_stay_whole(
    tmp_path: Path, lines_of: Callable[[Path], list[dict[str, Any]]]
) -> None:
    path = tmp_path / "spans.jsonl"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"w{n}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for n in range(3)
    ]
    for worker in workers:  # all are at the start line before the first one goes
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(b"go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    lines = lines_of(path)
    for n in range(3):
        own = [line["sequence"] for line in lines if line["worker"] == f"w{n}"]
        assert own == list(range(4000))
    assert len(lines) == 12_000


def test_a_file_is_added_to_and_never_emptied(
    tmp_path: Path, span: Callable[..., NodeSpan]
) -> None:
    path = tmp_path / "spans.jsonl"
    path.write_text("what was there\n")
    [outlet] = build_span_exporters([("jsonl", {"path": str(path)})])
    outlet.export([span(1)])
    outlet.close()
    assert path.read_text().startswith("what was there\n{")


def test_a_file_lies_where_it_did_when_the_exporter_was_made(
    tmp_path: Path, span: Callable[..., NodeSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is opened later, and a node may have gone elsewhere by then."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    [outlet] = build_span_exporters([("jsonl", {"path": "spans.jsonl"})])
    monkeypatch.chdir(tmp_path / "elsewhere")
    outlet.export([span(1)])
    outlet.close()
    assert (tmp_path / "spans.jsonl").exists()


def test_a_socket_is_not_waited_for_as_a_pipe_without_a_reader_is(
    span: Callable[..., NodeSpan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is refused before the run; this one has come since."""
    monkeypatch.chdir(tmp_path)
    [outlet] = build_span_exporters([("jsonl", {"path": "late"})])
    with socket.socket(socket.AF_UNIX) as late:
        late.bind("late")  # a short path: those of sockets may not be long
        outlet.export([span(1)])
        outlet.close()
    [reason] = outlet.counts.dropped
    assert reason in ("ENXIO", "EOPNOTSUPP")  # as Linux says it, as macOS does


def test_where_nothing_was_exported_there_is_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "spans.jsonl"
    [outlet] = build_span_exporters([("jsonl", {"path": str(path)})])
    outlet.close()
    assert path.read_bytes() == b""
    assert outlet.counts.close_failure is None


def test_a_new_file_has_the_mode_0644_less_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "spans.jsonl"
    code = (
        "import os, sys; os.umask(0o002); from sk_observability import LifecycleLog,"
        " build_log_exporters as build;"
        "log = LifecycleLog('run', build([('jsonl', {'path': sys.argv[1]})]));"
        "log.emit('worker_ready'); log.close()"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_full_disk_costs_the_lines_that_do_not_fit_and_spoils_none_after_them(
    tmp_path: Path,
) -> None:
    path = tmp_path / "events.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True
    )
    lines = path.read_text().splitlines()
    whole = [line for line in lines if line.endswith("}")]
    assert [int(line.split(":")[1].split(",")[0]) for line in whole] == [1, 2, 6]
    assert len(lines) == 4  # the torn one ends where the disk was full
    assert done.stdout == "6 3 {'EFBIG': 3}\n"


def test_standard_output_stays_open_when_its_exporter_is_closed() -> None:
    code = (
        "from sk_observability import LifecycleLog, build_log_exporters;"
        "log = LifecycleLog('run', build_log_exporters([('stdout', {})]));"
        "log.emit('worker_ready'); log.close(); print('still here')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.splitlines()[1:] == [b"still here"]


def test_a_broken_standard_output_changes_neither_the_run_nor_its_exit_code() -> None:
    code = (
        "import os, sys; from sk_observability import LifecycleLog, build_log_exporters;"
        "sys.stdin.read(); log = LifecycleLog('run', build_log_exporters([('stdout', {})]));"
        "log.emit('worker_ready'); log.close();"
        "os.write(2, str(log.counts().exporters[0].dropped).encode())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.close()
    assert process.stderr is not None
    with process.stderr as stream:
        assert stream.read() == b"{'EPIPE': 1}"
    assert process.wait() == 0

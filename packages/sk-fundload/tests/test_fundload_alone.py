"""The memory profile by the kernel alone, where sk-supervisor is not installed."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sk_fundload._alone import run_alone
from sk_fundload._setup import configuration
from sk_fundload.errors import MissingExtraError
from sk_fundload.generator import generate

# Starts the command where sk_supervisor cannot be imported, as in a base installation.
ALONE = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name == "sk_supervisor":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from sk_fundload.cli import main
main(prog_name="sk-fundload")
"""


def run(
    *overrides: str, quiet: bool = True, profile: str = "memory", **places: str
) -> tuple[int, str]:
    config = configuration(
        rules="exp_mp", profile=profile, file=None, overrides=overrides, places=places
    )
    stderr = io.StringIO()
    code = run_alone(config, run_id="r1", quiet=quiet, stderr=stderr)
    return code, stderr.getvalue()


def test_a_complete_run_says_what_it_did(tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"".join(generate(2_500, 1)))
    code, said = run(input=str(source), output=str(output), quiet=False)
    assert code == 0
    assert output.read_bytes().count(b"\n") == 2_500
    assert said.startswith("completed: 2,500 records")
    assert "DAILY_AMOUNT_LIMIT" in said


def test_a_quiet_run_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").touch()
    assert run(input=str(tmp_path / "in"), output=str(tmp_path / "out")) == (0, "")


def test_every_fault_is_listed_and_nothing_is_touched(tmp_path: Path) -> None:
    code, said = run(
        "nodes.evaluate_policies.daily_cents=-1",
        "nodes.compute_time_keys.week_start=never",
        input=str(tmp_path / "missing"),
        output=str(tmp_path / "out"),
    )
    assert code == 2
    assert "nodes.evaluate_policies.daily_cents" in said
    assert "nodes.compute_time_keys.week_start" in said
    assert list(tmp_path.iterdir()) == []


def test_a_missing_input_is_refused(tmp_path: Path) -> None:
    code, said = run(input=str(tmp_path / "missing"), output=str(tmp_path / "out"))
    assert code == 2
    assert "adapters.source.settings.path" in said


def test_a_run_that_cannot_write_fails_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"x\n")
    code, said = run(input=str(tmp_path / "in"), output="/dev/full")
    assert code == 4
    assert "No space left" in said


JSONL = "{kind: jsonl, settings: {path: x}}"


@pytest.mark.parametrize(
    ("wanted", "override"),
    [
        ("runtime.observability.tracing.exporters", f"=[{JSONL}]"),
        ("runtime.observability.logging.exporters", f"=[{JSONL}]"),
        ("runtime.observability.metrics.exporters", "=[{kind: otel_otlp}]"),
        ("runtime.platform.health", ".http={}"),
        ("runtime.platform.health", ".grpc={}"),
        ("runtime.platform.admin.enabled", "=true"),
    ],
)
def test_what_needs_the_extra_is_refused_by_its_name(wanted: str, override: str) -> None:
    with pytest.raises(MissingExtraError) as caught:
        run(wanted + override)
    assert str(caught.value).endswith(f"'sk-fundload[multiprocess]', is needed for {wanted}")


def test_all_that_needs_the_extra_is_said_at_once() -> None:
    with pytest.raises(MissingExtraError) as caught:
        run("runtime.platform.health.http={}", profile="multiprocess")
    assert caught.value.wanted == "the multiprocess profile, runtime.platform.health"


def test_the_command_runs_without_sk_supervisor(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"x\n")
    places = ["--input", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    command = [sys.executable, "-c", ALONE, "run", "--rules", "baseline", *places, "--profile"]
    done = subprocess.run([*command, "memory"], capture_output=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.startswith(b"completed: 1 records")
    refused = subprocess.run([*command, "multiprocess"], capture_output=True, timeout=120)
    assert refused.returncode == 2
    assert b"sk-fundload[multiprocess]" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_the_run_and_leaves_the_old_output(
    tmp_path: Path, number: signal.Signals
) -> None:
    output = tmp_path / "out"
    output.write_text("old")
    places = []
    for option, path in (("--input", tmp_path / "in"), ("--rejects", tmp_path / "rejects")):
        os.mkfifo(path)
        places += [option, str(path)]
    command = [sys.executable, "-c", ALONE, "run", "--rules", "baseline", "--profile", "memory"]
    command += [*places, "--output", str(output)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert process.stderr
        with (tmp_path / "in").open("wb", buffering=0) as pipe:
            pipe.write(b"unreadable\n")
            with (tmp_path / "rejects").open("rb") as rejects:
                assert rejects.readline().startswith(b'{"line_no":1,')  # it is in the output too
                process.send_signal(number)
                said = process.stderr.read()
                assert process.wait(timeout=60) == 128 + number
    assert output.read_text() == "old"
    assert said.startswith(b"stopped: 1 records")
    (partial,) = tmp_path.glob("*.partial")
    assert partial.read_bytes().count(b"\n") == 1
    assert f"partial output: {partial}".encode() in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), b"ended: the reader of standard output has gone\n"),
        (("--output", "/dev/stdout", "--quiet"), b""),
    ],
)
def test_a_reader_that_has_seen_enough_ends_the_run(options: tuple[str, ...], said: bytes) -> None:
    command = [sys.executable, "-c", ALONE, "run", "--rules", "baseline", "--profile", "memory"]
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, *options], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(b"x\n")
        process.stdin.close()
        assert process.stderr.read() == said
        assert process.wait(timeout=60) == 141


def test_a_second_signal_ends_a_drain_that_gets_no_further(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"".join(generate(10_000, 1)))
    os.mkfifo(tmp_path / "out")
    command = [sys.executable, "-c", ALONE, "run", "--rules", "baseline", "--profile", "memory"]
    command += ["--input", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert process.stderr
        with (tmp_path / "out").open("rb", buffering=0) as output:
            output.read(1)  # more than this is not taken, and a pipe does not hold the rest
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
        assert process.wait(timeout=60) == 5
    assert said.startswith(b"error: stopped at once by a second signal")

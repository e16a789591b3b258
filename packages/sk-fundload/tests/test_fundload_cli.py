"""The command, as a user starts it."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sk_fundload.cli import main

RUN = ("run", "--rules", "exp_mp", "--profile", "memory", "--quiet")
LINE = b'{"id":"4","customer_id":"1","load_amount":"$1.00","time":"2000-01-01T00:00:00Z"}\n'
DECISION = b'{"id":"4","customer_id":"1","accepted":true}\n'


def fundload(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "sk_fundload", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, timeout=120)


def test_a_file_is_decided_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(LINE + b"\xff\n")
    places = ("--input", "in", "--output", "out", "--rejects", "rejects")
    done = fundload(*RUN, *places, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    declined = b'{"id":"","customer_id":"","accepted":false}\n'
    assert (tmp_path / "out").read_bytes() == DECISION + declined
    reject = json.loads((tmp_path / "rejects").read_text())
    assert reject == {"line_no": 2, "reason": "INPUT_PARSE_ERROR", "text": "\ufffd"}


def test_standard_input_is_decided_to_standard_output() -> None:
    done = fundload(*RUN, "--input", "-", "--output", "-", stdin=LINE)
    assert (done.returncode, done.stdout) == (0, DECISION)


def test_a_redirected_output_that_is_appended_to_keeps_what_it_had(tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.write_bytes(b"before\n")
    command = [sys.executable, "-m", "sk_fundload", *RUN, "--input", "-", "--output", "/dev/stdout"]
    with output.open("ab") as file:
        subprocess.run(command, input=LINE, stdout=file, check=True, timeout=120)
    assert output.read_bytes() == b"before\n" + DECISION


def test_a_slow_writer_is_answered_line_by_line() -> None:
    command = [sys.executable, "-m", "sk_fundload", *RUN, "--input", "-", "--output", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        for n in (4, 6, 8):
            process.stdin.write(LINE.replace(b'"4"', b'"%d"' % n))
            process.stdin.flush()
            assert process.stdout.readline() == DECISION.replace(b'"4"', b'"%d"' % n)
        process.stdin.close()
        assert process.wait(timeout=60) == 0


def test_generated_input_is_decided_whole(tmp_path: Path) -> None:
    generated = fundload("generate", "--records", "2000", "--seed", "1", "--dirty", "--output", "-")
    assert generated.returncode == 0
    done = fundload(*RUN, "--input", "-", "--output", tmp_path / "out", stdin=generated.stdout)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "out").read_bytes().count(b"\n") == 2_000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--input", "missing", "--output", "out"), "missing"),
        (("--input", ".", "--output", "out"), "it is a directory"),
        (("--input", "in/side", "--output", "out"), "Not a directory"),
        (("--input", "in", "--output", "in/side"), "Not a directory"),
        (("--input", "in", "--output", "."), "it is a directory"),
        (("--input", "in", "--output", "missing/out"), "No such file"),
        (("--input", "in", "--output", "in"), "input and output are the same file"),
        (("--input", "in", "--output", "out", "--rejects", "in"), "input and rejects are"),
        (("--input", "in", "--output", "out", "--rejects", "out"), "is the output itself"),
        (("--input", "in", "--config", "own.yaml"), "--config and --rules exclude each other"),
        (("--input", "in", "--set", "nodes.nobody.x=1"), "nobody"),
        (("--input", "in", "--set", "version=7"), "version"),
        (("--input", "in", "--set", "nonsense"), "PATH=VALUE"),
    ],
)
def test_what_cannot_run_is_refused_with_a_reason_and_nothing_is_touched(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    says: str,
) -> None:
    (tmp_path / "in").write_bytes(LINE)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as refused:
        main([*RUN, *arguments], prog_name="sk-fundload")
    gc.unfreeze()  # as this process is not at its end
    assert refused.value.code == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert says in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert (tmp_path / "in").read_bytes() == LINE


def test_generating_replaces_a_file_only_when_all_is_written(tmp_path: Path) -> None:
    output = tmp_path / "out"
    for records in (5, 3):
        arguments = ("generate", "--records", str(records), "--seed", "1", "--output", output)
        assert fundload(*arguments).returncode == 0
        assert output.read_bytes().count(b"\n") == records
    assert list(tmp_path.iterdir()) == [output]


def test_generating_into_nowhere_is_refused(tmp_path: Path) -> None:
    output = tmp_path / "missing" / "out"
    refused = fundload("generate", "--records", "1", "--seed", "1", "--output", output)
    assert refused.returncode == 2
    assert refused.stderr.startswith(b"error: cannot open ")


def test_generating_for_a_reader_that_has_seen_enough_ends_quietly() -> None:
    command = [sys.executable, "-m", "sk_fundload", "generate"]
    command += ["--records", "1000000", "--seed", "1", "--output", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 141


@pytest.mark.parametrize(
    "module", ["sk_config", "pydantic", "sk_supervisor", "sk_fundload.generator"]
)
def test_the_command_starts_without_what_it_does_not_need(module: str) -> None:
    code = f"import sys, sk_fundload.cli; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ)).returncode == 0


@pytest.mark.parametrize("module", ["sk_kernel", "sk_config", "click", "asyncio"])
def test_the_domain_knows_no_framework(module: str) -> None:
    code = f"import sys, sk_fundload.domain; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ)).returncode == 0


@pytest.mark.parametrize("module", ["sk_config", "pydantic", "click", "sk_supervisor"])
def test_a_worker_s_imports_are_few(module: str) -> None:
    code = (
        f"import sys, sk_fundload.nodes, sk_fundload.adapters; sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ)).returncode == 0


#: Presses Ctrl-C, or has it terminated, where it begins to import a certain module.
SIGNALLED = """
import os, runpy, signal, sys

class Signalled:
    def __init__(self, module, number):
        self.module, self.number = module, number

    def find_spec(self, name, path=None, target=None):
        if name == self.module:
            signal.raise_signal(self.number)

for module, number in (
    ("sk_fundload.cli", signal.SIGINT),
    ("sk_fundload.cli", signal.SIGTERM),
    ("sk_config", signal.SIGINT),
):
    pid = os.fork()
    if not pid:
        sys.meta_path.insert(0, Signalled(module, number))
        sys.argv = ["sk-fundload", "run", "--rules", "baseline"]
        runpy.run_module("sk_fundload", run_name="__main__", alter_sys=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


def test_a_signal_ends_it_quietly_from_its_first_line_on() -> None:
    command = [sys.executable, "-c", SIGNALLED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.split(), done.stderr) == (["130", "143", "130"], "")

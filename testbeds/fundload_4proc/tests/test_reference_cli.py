"""The reference as a program, and against the output that was given."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from reference_bench import load

REFERENCE = Path(__file__).parent.parent / "reference" / "reference.py"
ROOT = Path(__file__).resolve().parents[3]
GIVEN = ROOT.parent / "shared" / "data" / "fundload"

INPUT = b"\n".join([load(), load(), b"", load(id="2", time="x"), b"\xffbad"])


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REFERENCE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_it_writes_output_rejects_and_counts(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.write_bytes(INPUT)
    files: list[str | Path] = ["--input", source, "--output", tmp_path / "out"]
    more: list[str | Path] = ["--rejects", tmp_path / "rejects", "--reasons", tmp_path / "reasons"]
    done = run("--rules", "baseline", *files, *more)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out").read_bytes().splitlines() == [
        b'{"id":"1","customer_id":"1","accepted":true}',
        b'{"id":"1","customer_id":"1","accepted":false}',
        b'{"id":"2","customer_id":"1","accepted":false}',
        b'{"id":"","customer_id":"","accepted":false}',
    ]
    rejects = [json.loads(line) for line in (tmp_path / "rejects").read_bytes().splitlines()]
    assert [list(reject) for reject in rejects] == [["line_no", "reason", "text"]] * 2
    assert [(reject["line_no"], reject["reason"]) for reject in rejects] == [
        (4, "INVALID_TIMESTAMP"),
        (5, "INPUT_PARSE_ERROR"),
    ]
    counts = json.loads((tmp_path / "reasons").read_bytes())
    assert {name: count for name, count in counts.items() if count} == {
        "accepted": 1,
        "INPUT_PARSE_ERROR": 1,
        "INVALID_TIMESTAMP": 1,
        "ID_DUPLICATE_REPLAY": 1,
    }


def test_rejects_and_counts_are_written_where_asked_only(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.write_bytes(INPUT)
    done = run("--rules", "exp_mp", "--input", source, "--output", tmp_path / "out")
    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_a_missing_input_is_one_line_and_exit_2(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    done = run("--rules", "baseline", "--input", missing, "--output", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr == f"reference: {missing}: No such file or directory\n"


@pytest.mark.parametrize("rules", ["", "other"])
def test_unknown_rules_are_refused(tmp_path: Path, rules: str) -> None:
    done = run("--rules", rules, "--input", tmp_path / "in", "--output", tmp_path / "out")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_it_gives_the_output_that_was_given(tmp_path: Path) -> None:
    if not GIVEN.is_dir():
        pytest.skip("since 2026-11-21: ../shared/data is not beside this checkout")
    output = tmp_path / "out"
    done = run("--rules", "baseline", "--input", GIVEN / "input.txt", "--output", output)
    assert done.returncode == 0
    assert output.read_bytes() == (GIVEN / "baseline-output.txt").read_bytes()

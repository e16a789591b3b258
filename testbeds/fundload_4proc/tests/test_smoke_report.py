"""The smoke report: what counts as equal, and what a reader is shown."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from parity import fingerprint
from smoke_report import SmokeCase, SmokeReport, discard_smoke, write_smoke

SCRIPT = Path(__file__).resolve().parent.parent / "run_smoke.py"
YES = b'{"id":"1","customer_id":"2","accepted":true}\n'
NO = b'{"id":"1","customer_id":"2","accepted":false}\n'
SOURCE = fingerprint("generated 1, seed 1", b"in\n")


def case(*, memory: bytes = YES, four: bytes = YES, rejects: bytes = b"") -> SmokeCase:
    outputs = {"memory": memory, "multiprocess": four}
    return SmokeCase(
        rules="exp_mp",
        seconds={"memory": 0.5, "multiprocess": 1.25},
        outputs={label: fingerprint(label, data) for label, data in outputs.items()},
        rejects={
            "memory": fingerprint("memory", b""),
            "multiprocess": fingerprint("multiprocess", rejects),
        },
    )


def report(*cases: SmokeCase) -> SmokeReport:
    return SmokeReport({"python": "3.11.0"}, SOURCE, cases)


def test_the_same_bytes_are_ok() -> None:
    assert case().ok


@pytest.mark.parametrize(
    "bad",
    [case(four=NO), case(memory=NO), case(rejects=b"{}\n"), case(memory=b"", four=b"")],
    ids=["output", "memory output", "rejects", "nothing at all"],
)
def test_other_bytes_and_no_bytes_are_not(bad: SmokeCase) -> None:
    assert not bad.ok
    assert not report(case(), bad).ok


def test_a_report_without_cases_is_not_ok() -> None:
    assert not report().ok


def test_the_table_shows_lines_seconds_and_the_verdict() -> None:
    heading, row, verdict = report(case()).table().splitlines()
    assert heading.split()[:2] == ["rules", "lines"]
    digest = fingerprint("", YES).sha256[:12]
    assert row.split() == ["exp_mp", "1", "0", "0.50", "1.25", digest, "yes"]
    assert verdict == "generated 1, seed 1: the same bytes in both profiles"
    assert report(case(four=NO)).table().endswith("THE PROFILES DIFFER")


def test_json_and_markdown_say_the_same(tmp_path: Path) -> None:
    as_json, as_markdown = write_smoke(report(case(), case(four=NO)), tmp_path / "new")
    document = json.loads(as_json.read_bytes())
    assert (document["schema"], document["ok"]) == (1, False)
    assert [one["ok"] for one in document["cases"]] == [True, False]
    assert document["input"]["sha256"] == SOURCE.sha256
    assert document["cases"][0]["seconds"] == {"memory": 0.5, "multiprocess": 1.25}
    assert [file["label"] for file in document["cases"][0]["outputs"]] == ["memory", "multiprocess"]
    text = as_markdown.read_text("utf-8")
    assert "**DIFFERENT**" in text
    assert text.count("| exp_mp |") == 2
    assert str(tmp_path) not in text + as_json.read_text("utf-8")


def test_an_old_report_is_discarded_and_nothing_else(tmp_path: Path) -> None:
    write_smoke(report(case()), tmp_path)
    (tmp_path / "parity.json").touch()
    discard_smoke(tmp_path)
    discard_smoke(tmp_path / "missing")
    assert [path.name for path in tmp_path.iterdir()] == ["parity.json"]


@pytest.mark.contract("P5PRE-SMOKE-01", "P5PRE-SMOKE-02")
def test_the_session_runs_both_rule_sets_and_ends_with_0(tmp_path: Path) -> None:
    done = run_smoke(tmp_path, "--records", "200")
    assert (done.returncode, done.stderr) == (0, "")
    assert "the same bytes in both profiles" in done.stdout
    document = json.loads((tmp_path / "smoke.json").read_bytes())
    assert [(one["rules"], one["ok"]) for one in document["cases"]] == [
        ("baseline", True),
        ("exp_mp", True),
    ]


def test_a_run_that_fails_ends_with_2_and_leaves_no_old_report(tmp_path: Path) -> None:
    """There is not the time for even one run."""
    write_smoke(report(case()), tmp_path)
    done = run_smoke(tmp_path, "--records", "1000000", "--timeout", "1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("records", ["0", "-1", "many"])
def test_a_number_of_records_that_is_none_is_refused(tmp_path: Path, records: str) -> None:
    done = run_smoke(tmp_path, f"--records={records}")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def run_smoke(reports: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--reports", str(reports), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)

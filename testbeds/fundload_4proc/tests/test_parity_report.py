"""The report: complete, deterministic, and silent about the machine."""

from __future__ import annotations

import json
from pathlib import Path

from parity import ParityCase, RunFailure, compare, fingerprint
from parity_markdown import failure_rows, summary_row, to_markdown
from parity_report import ParityReport, this_environment, to_json, write_report

ENVIRONMENT = {
    "python": "3.11.0",
    "implementation": "CPython",
    "system": "Linux",
    "machine": "x86_64",
}
YES = b'{"id":"1","customer_id":"2","accepted":true}\n'
NO = b'{"id":"1","customer_id":"2","accepted":false}\n'


def case(*, memory: bytes = YES, failures: tuple[RunFailure, ...] = ()) -> ParityCase:
    return ParityCase(
        rules="exp_mp",
        input=fingerprint("generated 1, seed 1", b"in\n"),
        counts={"accepted": 1, "INPUT_PARSE_ERROR": 0},
        outputs=compare({"memory": memory, "multiprocess": YES, "reference": YES}),
        rejects=compare({"memory": b"", "multiprocess": b"", "reference": b""}),
        failures=failures,
    )


def report(*cases: ParityCase) -> ParityReport:
    return ParityReport(ENVIRONMENT, "absent", cases)


def test_a_report_without_cases_is_not_ok() -> None:
    assert not report().ok


def test_one_case_that_is_not_ok_spoils_the_report() -> None:
    assert report(case(), case()).ok
    assert not report(case(), case(memory=NO)).ok


def test_the_json_holds_hashes_sizes_and_counts() -> None:
    document = json.loads(to_json(report(case())))
    assert (document["schema"], document["ok"]) == (1, True)
    assert (document["environment"], document["reference_data"]) == (ENVIRONMENT, "absent")
    (only,) = document["cases"]
    assert (only["rules"], only["ok"], only["rounds"]) == ("exp_mp", True, 1)
    assert only["counts"] == {"accepted": 1, "INPUT_PARSE_ERROR": 0}
    made = fingerprint("", YES)
    assert [file["label"] for file in only["outputs"]["files"]] == [
        "memory",
        "multiprocess",
        "reference",
    ]
    for file in only["outputs"]["files"]:
        assert (file["sha256"], file["size"], file["lines"]) == (made.sha256, made.size, 1)


def test_the_json_shows_the_differing_lines() -> None:
    document = json.loads(to_json(report(case(memory=NO))))
    (difference,) = document["cases"][0]["outputs"]["differences"]
    assert difference["line_no"] == 1
    assert difference["lines"]["memory"] == NO.decode()
    assert difference["lines"]["reference"] == YES.decode()


def test_a_differing_line_that_is_no_utf8_can_be_reported() -> None:
    document = json.loads(to_json(report(case(memory=b"\xff\n" + YES))))
    first, second = document["cases"][0]["outputs"]["differences"]
    assert first["lines"]["memory"] == "\\xff\n"
    assert second["lines"]["reference"] is None


def test_the_markdown_says_equal_and_names_every_file() -> None:
    text = to_markdown(ENVIRONMENT, "present", [case()])
    assert "**Equal.**" in text
    assert "Reference data: present." in text
    assert "CPython 3.11.0 on Linux x86_64" in text
    assert f"| output | memory | 1 | {len(YES)} | `{fingerprint('', YES).sha256}` |" in text
    assert "| rejects | reference | 0 | 0 |" in text
    assert "| accepted | 1 |" in text


def test_the_markdown_shows_a_difference_line_by_line() -> None:
    text = to_markdown(ENVIRONMENT, "absent", [case(memory=NO)])
    assert "**NOT EQUAL.**" in text
    assert "    outputs, line 1:\n" in text
    assert '      memory        {"id":"1","customer_id":"2","accepted":false}\\n\n' in text
    assert '      reference     {"id":"1","customer_id":"2","accepted":true}\\n\n' in text


def test_a_failed_run_is_named_and_its_last_words_are_in_no_report() -> None:
    failed = case(failures=(RunFailure("multiprocess", 4, "/home/someone/x.py: broken"),))
    assert failure_rows(failed) == [
        "multiprocess failed with exit code 4; nothing of it was compared"
    ]
    for text in (to_json(report(failed)), to_markdown(ENVIRONMENT, "absent", [failed])):
        assert "multiprocess" in text
        assert "/home/someone" not in text


def test_a_run_that_was_killed_for_its_time_is_named_so() -> None:
    (row,) = failure_rows(case(failures=(RunFailure("memory", None),)))
    assert row.startswith("memory took too long")


def test_the_summary_of_a_case_says_how_it_ended() -> None:
    assert "  equal  memory, multiprocess, reference" in summary_row(case())
    assert "  NOT EQUAL  " in summary_row(case(memory=NO))


def test_equal_findings_write_equal_reports(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_report(report(case(), case(memory=NO)), tmp_path / "reports" / name)
    for file in ("parity.json", "parity.md"):
        one, two = (tmp_path / "reports" / name / file for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_the_environment_names_no_host_and_no_path() -> None:
    assert set(this_environment()) == set(ENVIRONMENT)
    assert not any("/" in value for value in this_environment().values())

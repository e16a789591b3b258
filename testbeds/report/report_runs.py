"""Parity and smoke as a reader sees them: rows with a verdict, and speed as bars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FileRow:
    """One file of a comparison."""

    label: str
    kind: str
    sha256: str
    lines: int
    size: int


@dataclass(frozen=True)
class ParityRow:
    """One rule set on one input."""

    rules: str
    input: Mapping[str, Any]
    ok: bool
    verdict: str
    counts: Mapping[str, int]
    files: Sequence[FileRow]
    faults: Sequence[str]


@dataclass(frozen=True)
class Bar:
    """How fast one profile was: lines a second of the whole process, and its share of the best."""

    rules: str
    profile: str
    seconds: float
    rate: float
    share: float


def parity_rows(document: Mapping[str, Any]) -> list[ParityRow]:
    """The cases of ``parity.json``."""
    return [_parity_row(case) for case in document["cases"]]


def smoke_rows(document: Mapping[str, Any]) -> list[ParityRow]:
    """The cases of ``smoke.json``, which are compared by their hashes."""
    rows = []
    for case in document["cases"]:
        verdict = "the same bytes" if case["ok"] else "DIFFERENT"
        files = [*_files("output", case["outputs"]), *_files("rejects", case["rejects"])]
        row = ParityRow(case["rules"], document["input"], case["ok"], verdict, {}, files, ())
        rows.append(row)
    return rows


def bars(document: Mapping[str, Any]) -> list[Bar]:
    """The speed of each profile under each rule set, of ``smoke.json``."""
    lines = document["input"]["lines"]
    rates = [
        (case["rules"], profile, seconds, lines / seconds if seconds else 0.0)
        for case in document["cases"]
        for profile, seconds in case["seconds"].items()
    ]
    best = max((rate for *_, rate in rates), default=0.0) or 1.0
    return [Bar(*each, share=each[-1] / best) for each in rates]


def _parity_row(case: Mapping[str, Any]) -> ParityRow:
    compared = {"output": case["outputs"], "rejects": case["rejects"]}
    files = [row for kind, found in compared.items() for row in _files(kind, found["files"])]
    return ParityRow(
        rules=case["rules"],
        input=case["input"],
        ok=case["ok"],
        verdict=_verdict(case),
        counts=case["counts"],
        files=files,
        faults=list(_faults(case)),
    )


def _verdict(case: Mapping[str, Any]) -> str:
    if case["ok"]:
        return "the same bytes"
    if case["failures"]:
        return "A RUN FAILED"
    layout = all(case[kind]["normalised_equal"] for kind in ("outputs", "rejects"))
    return "THE SAME VALUES, OTHER BYTES" if layout else "DIFFERENT"


def _faults(case: Mapping[str, Any]) -> Iterator[str]:
    for failure in case["failures"]:
        code = failure["exit_code"]
        how = "took too long" if code is None else f"ended with exit code {code}"
        yield f"{failure['label']} {how}"
    for kind in ("outputs", "rejects"):
        for difference in case[kind]["differences"]:
            shown = ", ".join(f"{label}: {line!r}" for label, line in difference["lines"].items())
            yield f"{kind}, line {difference['line_no']}: {shown}"
    if case["failed_rounds"]:
        yield f"rounds that differed: {', '.join(map(str, case['failed_rounds']))}"


def _files(kind: str, files: Sequence[Mapping[str, Any]]) -> Iterator[FileRow]:
    for file in files:
        yield FileRow(file["label"], kind, file["sha256"], file["lines"], file["size"])

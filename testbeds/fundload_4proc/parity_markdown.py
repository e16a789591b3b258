"""The parity report for people, and the same facts as plain lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from parity import Comparison, Fingerprint, ParityCase

_SHOWN_BYTES = 200
_MISSING = "(no such line)"
_VERDICT_HEAD = (
    "rules",
    "input",
    "decisions",
    "rounds",
    "bytes",
    "normalised",
    "rejects",
    "verdict",
)
_FILES_HEAD = ("file", "of", "lines", "bytes", "SHA-256")


def to_markdown(
    environment: Mapping[str, str], reference_data: str, cases: Sequence[ParityCase]
) -> str:
    """Give the text of `parity.md`."""
    verdict = "Equal" if cases and all(case.ok for case in cases) else "NOT EQUAL"
    ran_on = "{implementation} {python} on {system} {machine}".format(**environment)
    blocks = [
        ["# Parity of fund load", ""],
        [f"**{verdict}.** The same input through every program that is named below; what they"],
        ["wrote, outputs and rejects, compared byte for byte."],
        ["", f"Ran with {ran_on}. Reference data: {reference_data}."],
        ["", *_table(_VERDICT_HEAD, (_verdict_row(case) for case in cases))],
        ["", "## Decisions by reason, as the reference has them"],
        ["", *_counts_table(cases)],
        *(_case_section(case) for case in cases),
    ]
    return "\n".join(line for block in blocks for line in block) + "\n"


def summary_row(case: ParityCase) -> str:
    """Say in one plain line how a case ended."""
    compared = ", ".join(file.label for file in case.outputs.files)
    decisions = sum(case.counts.values())
    verdict = _verdict(case)
    return f"{case.rules:<9} {case.input.label:<26} {decisions:>9} decisions  {verdict}  {compared}"


def failure_rows(case: ParityCase) -> list[str]:
    """Say in plain lines what failed in a case: nothing for one that is ok."""
    rows = [_failure_text(failure.label, failure.exit_code) for failure in case.failures]
    if case.failed_rounds and case.rounds > 1:
        rows.append(f"rounds that failed: {', '.join(map(str, case.failed_rounds))}")
    for name, comparison in (("outputs", case.outputs), ("rejects", case.rejects)):
        rows += _difference_rows(name, comparison)
    return rows


def _verdict_row(case: ParityCase) -> Iterable[str]:
    return (
        case.rules,
        case.input.label,
        str(sum(case.counts.values())),
        str(case.rounds),
        _equal(case.outputs.byte_equal),
        _equal(case.outputs.normalised_equal),
        _equal(case.rejects.byte_equal),
        _verdict(case),
    )


def _counts_table(cases: Sequence[ParityCase]) -> list[str]:
    head = ["reason", *(f"{case.rules}, {case.input.label}" for case in cases)]
    names = dict.fromkeys(name for case in cases for name in case.counts)
    rows = ([name, *(str(case.counts.get(name, 0)) for case in cases)] for name in names)
    return _table(head, rows)


def _case_section(case: ParityCase) -> list[str]:
    lines = ["", f"## {case.rules}, {case.input.label}", ""]
    lines += _table(_FILES_HEAD, _file_rows(case))
    failures = failure_rows(case)
    if failures:
        # Indented code: no line of an output can end it, whatever it holds.
        lines += ["", *(f"    {row}" for row in failures)]
    return lines


def _file_rows(case: ParityCase) -> Iterator[Iterable[str]]:
    yield _file_row("input", "", case.input)
    for file in case.outputs.files:
        yield _file_row("output", file.label, file)
    for file in case.rejects.files:
        yield _file_row("rejects", file.label, file)


def _file_row(kind: str, of: str, file: Fingerprint) -> Iterable[str]:
    return (kind, of, str(file.lines), str(file.size), f"`{file.sha256}`")


def _failure_text(label: str, exit_code: int | None) -> str:
    if exit_code is None:
        return f"{label} took too long and was killed; nothing of it was compared"
    return f"{label} failed with exit code {exit_code}; nothing of it was compared"


def _difference_rows(name: str, comparison: Comparison) -> Iterator[str]:
    width = max(len(file.label) for file in comparison.files)
    for difference in comparison.differences:
        yield f"{name}, line {difference.line_no}:"
        for label, line in difference.lines.items():
            yield f"  {label:<{width}}  {_shown(line)}"


def _shown(line: bytes | None) -> str:
    r"""Give the line in printable ASCII on one row: its end shows as `\n`, so a missing one too."""
    return _MISSING if line is None else ascii(line[:_SHOWN_BYTES])[2:-1]


def _table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> list[str]:
    return [_row(head), _row("---" for _ in head), *(_row(row) for row in rows)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _equal(equal: bool) -> str:
    return "equal" if equal else "**differ**"


def _verdict(case: ParityCase) -> str:
    return "equal" if case.ok else "NOT EQUAL"

"""The parity report: what was compared, as JSON for machines and Markdown for people.

Both are a function of the cases and the environment alone: no time, no duration, no path of the
machine, so that two runs that found the same write the same bytes.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from parity import Comparison, Difference, ParityCase
from parity_markdown import to_markdown

SCHEMA = 1
_SHOWN_BYTES = 300


@dataclass(frozen=True)
class ParityReport:
    """All cases of a session, where it ran, and whether reference data was at hand."""

    environment: Mapping[str, str]
    reference_data: str
    cases: tuple[ParityCase, ...]

    @property
    def ok(self) -> bool:
        """True when there is a case and every one is."""
        return bool(self.cases) and all(case.ok for case in self.cases)


def this_environment() -> dict[str, str]:
    """Name the interpreter and the platform, and nothing that names the machine."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "machine": platform.machine(),
    }


def to_json(report: ParityReport) -> str:
    """Give the text of `parity.json`."""
    document = {
        "schema": SCHEMA,
        "ok": report.ok,
        "environment": dict(report.environment),
        "reference_data": report.reference_data,
        "cases": [_case(case) for case in report.cases],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def write_report(report: ParityReport, folder: Path) -> None:
    """Write `parity.json` and `parity.md` into `folder`, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "parity.json").write_text(to_json(report), encoding="utf-8")
    markdown = to_markdown(report.environment, report.reference_data, report.cases)
    (folder / "parity.md").write_text(markdown, encoding="utf-8")


def _case(case: ParityCase) -> dict[str, object]:
    return {
        "rules": case.rules,
        "ok": case.ok,
        "rounds": case.rounds,
        "failed_rounds": list(case.failed_rounds),
        "input": asdict(case.input),
        "counts": dict(case.counts),
        "outputs": _comparison(case.outputs),
        "rejects": _comparison(case.rejects),
        "failures": [
            {"label": failure.label, "exit_code": failure.exit_code} for failure in case.failures
        ],
    }


def _comparison(comparison: Comparison) -> dict[str, object]:
    return {
        "byte_equal": comparison.byte_equal,
        "normalised_equal": comparison.normalised_equal,
        "files": [asdict(file) for file in comparison.files],
        "differences": [_difference(difference) for difference in comparison.differences],
    }


def _difference(difference: Difference) -> dict[str, object]:
    lines = {label: _shown(line) for label, line in difference.lines.items()}
    return {"line_no": difference.line_no, "lines": lines}


def _shown(line: bytes | None) -> str | None:
    """Give the line with its end, cut; what is no UTF-8 shows as an escape."""
    return None if line is None else line[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")

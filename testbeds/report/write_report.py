"""Merge what the sessions wrote into pages for people.

    python testbeds/report/write_report.py --reports reports

Reads `smoke.json`, `smoke-events.jsonl`, `bench-short.json`, `parity.json`, `contracts.json` and
`bench.json` of the folder, as far as they are there, and writes `index.html`; for `contracts.json`
and each `contracts-phaseN.json` a page and a Markdown file of its own too. Exit 0, or 2 when the
folder cannot be written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from report_contracts import to_markdown
from report_inputs import read_document
from report_page import render_contracts, render_index


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    parser = argparse.ArgumentParser(description="One page of what the sessions found.")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="the folder")
    folder: Path = parser.parse_args(arguments).reports
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = [*_matrices(folder), _index(folder)]
    except OSError as fault:
        sys.stderr.write(f"report: {fault}\n")
        return 2
    sys.stdout.write(f"written: {', '.join(map(str, written))}\n")
    return 0


def _index(folder: Path) -> Path:
    return _write(folder / "index.html", render_index(folder, datetime.now(UTC)))


def _matrices(folder: Path) -> list[Path]:
    written = []
    for path in sorted(folder.glob("contracts*.json")):
        document = read_document(path, path.stem).document
        if document is not None:
            written.append(_write(path.with_suffix(".md"), to_markdown(document)))
            written.append(_write(path.with_suffix(".html"), render_contracts(document)))
    return written


def _write(path: Path, text: str) -> Path:
    """Put it in place whole: a reader, or a session at the same time, never sees half a page."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, "utf-8")
    return partial.replace(path)


if __name__ == "__main__":
    sys.exit(main())

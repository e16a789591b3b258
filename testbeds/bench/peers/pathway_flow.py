"""Pathway: a connector, functions on rows, and an ordered subscription for what needs state.

    python pathway_flow.py RULES INPUT OUTPUT REJECTS

It has no ordered map with state, so replays, policies and output are in the callback.
"""

# mypy: allow-subclassing-any, allow-untyped-decorators
from __future__ import annotations

from typing import Any

import pathway as pw
from fund_load import (
    RULE_SETS,
    Attempt,
    Features,
    Policies,
    Reader,
    Writer,
    numbered_batches,
    told,
)


class Line(pw.Schema):
    """A row: a line and its number, by which rows are ordered."""

    line_no: int = pw.column_definition(primary_key=True)
    line: bytes


class Lines(pw.io.python.ConnectorSubject):
    """A file of lines."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def run(self) -> None:
        """Give every line as a row."""
        for batch in numbered_batches(self._path):
            for line_no, line in batch:
                self.next(line_no=line_no, line=line)


def main() -> None:
    """Lay the job out and run it."""
    rules, source, output, rejects = told()
    read, features = Reader(), Features(RULE_SETS[rules])
    policies, writer = Policies(RULE_SETS[rules]), Writer(output, rejects)

    @pw.udf(deterministic=True)
    def parse(line_no: int, line: bytes) -> tuple[str, str, int, int, str, bytes] | None:
        attempt = read(line_no, line)
        if attempt is None:
            return None
        ids = attempt.id, attempt.customer_id
        return (*ids, attempt.cents, attempt.instant, attempt.reason, attempt.reject)

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        if row["attempt"] is not None:
            writer.write([policies(features(Attempt(*row["attempt"])))])

    lines = pw.io.python.read(Lines(source), schema=Line, autocommit_duration_ms=100)
    attempts = lines.select(lines.line_no, attempt=parse(lines.line_no, lines.line))
    pw.io.subscribe(attempts, on_change=on_change, on_end=writer.close, sort_by=[attempts.line_no])
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    main()

"""What a record costs as work grows: records, groups, workers, payload, tracing; and its state.

    python testbeds/bench/run_growth.py --reports reports
        [--tables NAME ...] [--rounds N] [--largest N]

Writes `growth.json` and `growth.md`. Exit 0 when all that did the same wrote the same bytes, 1 when
that is not so, 2 when a run failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench_process import adopt_orphans
from bench_report import this_environment
from bench_session import RunFailedError
from growth_markdown import to_markdown
from growth_report import GrowthReport, to_json
from growth_rows import TABLES, rows_of
from growth_session import GrowthPlan, GrowthSession

LARGEST = 10_000_000
_LEAST = 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    options = _parser().parse_args(arguments)
    as_json, as_markdown = (options.reports / f"growth.{kind}" for kind in ("json", "md"))
    try:
        # A run that fails must not leave an earlier report to be taken for its own.
        as_json.unlink(missing_ok=True)
        as_markdown.unlink(missing_ok=True)
        report = _run(options)
        document = report.document()
        options.reports.mkdir(parents=True, exist_ok=True)
        as_json.write_text(to_json(document), "utf-8")
        as_markdown.write_text(to_markdown(document), "utf-8")
    except (RunFailedError, OSError) as fault:
        sys.stderr.write(f"growth: {fault}\n")
        return 2
    _say(f"{to_markdown(document)}\nwritten: {as_json}, {as_markdown}")
    return 0 if report.ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Cost as work grows.")
    parser.add_argument("--tables", nargs="+", choices=TABLES, metavar="NAME", help=str([*TABLES]))
    parser.add_argument("--rounds", type=_at_least(1), default=3, help="timed runs of each")
    parser.add_argument(
        "--largest", type=_at_least(_LEAST), default=LARGEST, help="records of the largest run"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the generator")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder to write to")
    parser.add_argument("--timeout", type=_at_least(1), default=900, help="seconds for any one run")
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least:,}")
        return int(text)

    return number


def _run(options: argparse.Namespace) -> GrowthReport:
    adopt_orphans()
    environment = this_environment((), None)
    rows = rows_of(options.tables or list(TABLES), options.largest)
    plan = GrowthPlan(rows, options.rounds, options.seed, options.timeout)
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        results = GrowthSession(plan, Path(folder), _say).run()
    return GrowthReport(environment, options.rounds, rows, results)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

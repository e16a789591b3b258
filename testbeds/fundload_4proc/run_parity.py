"""Compare the memory profile, four processes and the reference, and report.

    python testbeds/fundload_4proc/run_parity.py --records 100000 --seed 1 --reports reports
        [--reference-data DIR] [--rules NAME] [--rounds N] [--timeout SECONDS]

Both rule sets, or those that are named, run on generated dirty data and, where `--reference-data`
names a folder with `input.txt` and `baseline-output.txt`, on that too; its given output is then one
more column under the baseline rules. With `--rounds` both profiles run N times on each input.

Exit 0 when all outputs and rejects are equal byte for byte, 1 on any difference and on a run that
fails, 2 when the comparison cannot be made at all.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from parity import ParityCase
from parity_markdown import failure_rows, summary_row
from parity_report import ParityReport, this_environment, write_report
from parity_runs import RunFailedError, Runs
from parity_session import RULE_SETS, ParityInput, compare_runs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    options = _parser().parse_args(arguments)
    try:
        report = _run(options)
        write_report(report, options.reports)
    except (RunFailedError, OSError) as fault:
        sys.stderr.write(f"parity: {fault}\n")
        return 2
    _say(f"reference data {report.reference_data}; written: {options.reports}/parity.md, .json")
    return 0 if report.ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Fund load three ways, byte for byte.")
    parser.add_argument("--records", type=positive, default=100_000, help="records to generate")
    parser.add_argument("--seed", type=int, default=1, help="seed of the generator")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder to write to")
    parser.add_argument("--reference-data", type=Path, help="folder with given input and output")
    parser.add_argument("--rules", choices=RULE_SETS, action="append", help="not all rule sets")
    parser.add_argument("--rounds", type=positive, default=1, help="runs of each profile")
    parser.add_argument("--timeout", type=positive, default=600, help="seconds for any one run")
    return parser


def positive(text: str) -> int:
    """Read a command line's whole number of 1 or more."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _run(options: argparse.Namespace) -> ParityReport:
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        runs = Runs(Path(folder), options.timeout)
        inputs = list(_inputs(runs, options))
        cases = []
        for source in inputs:
            for rules in options.rules or RULE_SETS:
                cases.append(compare_runs(runs, rules, source, options.rounds))
                _tell(cases[-1])
    present = "absent" if options.reference_data is None else "present"
    return ParityReport(this_environment(), present, tuple(cases))


def _inputs(runs: Runs, options: argparse.Namespace) -> Iterator[ParityInput]:
    folder: Path | None = options.reference_data
    if folder is not None:
        given = (folder / "baseline-output.txt").read_bytes()
        source = (folder / "input.txt").resolve(strict=True)
        yield ParityInput("reference data", source, given)
    label = f"generated {options.records}, seed {options.seed}"
    yield ParityInput(label, runs.generate(options.records, options.seed))


def _tell(case: ParityCase) -> None:
    _say(summary_row(case), *(f"  {row}" for row in failure_rows(case)))
    for failure in case.failures:
        _say(f"  last words of {failure.label}:", f"    {failure.stderr or '(none)'}")


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

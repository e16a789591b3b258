"""The main job: fund load over four worker processes, and the same bytes as in memory.

    python testbeds/fundload_4proc/run_smoke.py --reports reports [--records N] [--seed S]

Generates a dirty input, runs both rule sets in the memory profile and over four worker processes,
compares outputs and rejects byte for byte; then traces 1 000 records through all nodes and counts
their spans at both ends. Prints a short summary; writes `smoke.json`, `smoke.md` and the events of
the traced run, `smoke-events.jsonl`. Exit 0 when all is equal and no span is lost, 1 on a
difference, 2 when a run failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from parity import fingerprint
from parity_report import this_environment
from parity_runs import PROFILES, Produced, RunFailedError, Runs
from parity_session import RULE_SETS
from run_parity import positive
from smoke_report import SmokeCase, SmokeReport, discard_smoke, keep_events, write_smoke
from smoke_telemetry import EVENTS_OF_FOUR, telemetry_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    options = _parser().parse_args(arguments)
    try:
        discard_smoke(options.reports)
        report = _run(options)
        paths = write_smoke(report, options.reports)
    except (RunFailedError, OSError) as fault:
        sys.stderr.write(f"smoke: {fault}\n")
        return 2
    sys.stdout.write(report.table() + f"\nwritten: {', '.join(map(str, paths))}\n")
    return 0 if report.ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Fund load on four processes, as in memory.")
    parser.add_argument("--records", type=positive, default=20_000, help="records to generate")
    parser.add_argument("--seed", type=int, default=1, help="seed of the generator")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder to write to")
    parser.add_argument("--timeout", type=positive, default=300, help="seconds for any one run")
    return parser


def _run(options: argparse.Namespace) -> SmokeReport:
    with tempfile.TemporaryDirectory(prefix="smoke-") as folder:
        runs = Runs(Path(folder), options.timeout)
        source = runs.generate(options.records, options.seed)
        label = f"generated {options.records}, seed {options.seed}"
        facts = fingerprint(label, source.read_bytes())
        cases = []
        for rules in RULE_SETS:
            sys.stdout.write(f"running {rules}: memory, four processes ...\n")
            sys.stdout.flush()
            cases.append(_case(runs, rules, source))
        sys.stdout.write("running 1,000 records, every one of them traced ...\n")
        sys.stdout.flush()
        telemetry = telemetry_of(runs, Path(folder), options.seed)
        keep_events(Path(folder) / EVENTS_OF_FOUR, options.reports)
    return SmokeReport(this_environment(), facts, tuple(cases), telemetry)


def _case(runs: Runs, rules: str, source: Path) -> SmokeCase:
    produced: dict[str, Produced] = {}
    seconds: dict[str, float] = {}
    for profile in PROFILES:
        began = time.perf_counter()
        produced[profile] = runs.workload(rules, profile, source)
        seconds[profile] = time.perf_counter() - began
    return SmokeCase(
        rules=rules,
        seconds=seconds,
        outputs={name: fingerprint(name, made.output) for name, made in produced.items()},
        rejects={name: fingerprint(name, made.rejects) for name, made in produced.items()},
    )


if __name__ == "__main__":
    sys.exit(main())

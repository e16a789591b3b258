"""The same job on our profiles and on what a user would pick instead, side by side.

    python testbeds/bench/run_bench.py --reports reports [--environments DIR --install]
        [--records N ...] [--rounds N] [--systems NAME ...] [--requests N] [--short]

Writes `bench.json`, `bench.md` and `bench.svg`; with `--short`, which takes less than a minute and
looks at our own systems only, `bench-short.json` and `.md`. Exit 0 when all outputs are identical
and no ratio is below its floor by more than the noise, 1 when that is not so, 2 when nothing could
be compared. What is not installed is named as absent.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench_environments import install
from bench_markdown import to_markdown, verdict_lines
from bench_process import adopt_orphans
from bench_report import Report, this_environment, to_json
from bench_requests import ProbeFailedError, ask
from bench_session import Plan, RunFailedError, Session
from bench_systems import SHORT, SYSTEMS, chosen
from bench_target_table import SHORT as SHORT_TARGETS
from bench_target_table import TARGETS
from bench_targets import evaluate

RECORDS = (10_000, 100_000, 1_000_000)
SHORT_RECORDS = (10_000, 100_000)
SHORT_BUDGET_SECONDS = 30.0
"""After so long the short form begins no further round, once there are three."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    options = _parser().parse_args(arguments)
    name = "bench-short" if options.short else "bench"
    plan = _plan(options)
    try:
        _discard(options.reports, name)
        if options.install and options.environments is not None:
            install(options.environments, _peers(plan))
        report = _run(plan, options)
        paths = _write(report, options.reports, name)
    except (RunFailedError, ProbeFailedError, OSError) as fault:
        sys.stderr.write(f"bench: {fault}\n")
        return 2
    _say("\n".join([*verdict_lines(report), f"written: {', '.join(map(str, paths))}"]))
    if options.short and report.unmeasured:
        sys.stderr.write(f"bench: not measured: {'; '.join(report.unmeasured)}\n")
        return 2
    return 0 if report.ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Fund load, side by side.")
    names = [system.name for system in SYSTEMS]
    parser.add_argument("--short", action="store_true", help="ours and H only, under a minute")
    parser.add_argument("--records", type=_positive, nargs="+", help="sizes of the inputs")
    parser.add_argument("--rounds", type=_positive, default=5, help="counted runs of each")
    parser.add_argument("--systems", nargs="+", choices=names, metavar="NAME", help="only these")
    parser.add_argument("--environments", type=Path, help="folder of the peers' environments")
    parser.add_argument("--install", action="store_true", help="make these environments first")
    parser.add_argument("--requests", type=_positive, default=20_000, help="requests of each kind")
    parser.add_argument("--seed", type=int, default=1, help="seed of the generator")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder to write to")
    parser.add_argument("--timeout", type=_positive, default=900, help="seconds for any one run")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _plan(options: argparse.Namespace) -> Plan:
    everything = SHORT if options.short else [system.name for system in SYSTEMS]
    sizes = options.records or (SHORT_RECORDS if options.short else RECORDS)
    return Plan(
        systems=chosen(options.systems or everything),
        records=tuple(sorted(set(sizes))),
        rounds=options.rounds,
        seed=options.seed,
        timeout_seconds=options.timeout,
        budget_seconds=SHORT_BUDGET_SECONDS if options.short else None,
    )


def _peers(plan: Plan) -> list[str]:
    return [system.environment for system in plan.systems if system.environment is not None]


def _run(plan: Plan, options: argparse.Namespace) -> Report:
    adopt_orphans()
    environments = options.environments and options.environments.resolve()
    environment = this_environment(plan.systems, environments)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        session = Session(plan, Path(folder), environments, _say)
        results = session.run()
        if not options.short:
            results.asked = ask(options.requests, options.timeout)
            _say(f"requests: {results.asked}")
    rows = evaluate(results, SHORT_TARGETS if options.short else TARGETS)
    return Report(environment, session.input_sha256, plan.systems, results, rows)


def _write(report: Report, folder: Path, name: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    as_json, as_markdown, as_svg = _files(folder, name)
    as_json.write_text(to_json(report), "utf-8")
    if name != "bench":
        as_markdown.write_text(to_markdown(report, plot=None), "utf-8")
        return [as_json, as_markdown]
    from bench_plot import to_svg  # The short form goes without the library that draws.

    as_svg.write_text(to_svg(report), "utf-8")
    as_markdown.write_text(to_markdown(report, plot=as_svg.name), "utf-8")
    return [as_json, as_markdown, as_svg]


def _discard(folder: Path, name: str) -> None:
    """Remove an earlier report: a run that fails must not leave it to be taken for its own."""
    for path in _files(folder, name):
        path.unlink(missing_ok=True)


def _files(folder: Path, name: str) -> list[Path]:
    return [folder / f"{name}.{kind}" for kind in ("json", "md", "svg")]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

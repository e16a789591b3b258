"""The same job on our profiles and on what a user would pick instead, side by side.

    python testbeds/bench/run_bench.py --reports reports [--environments DIR --install]
        [--programs DIR] [--records N ...] [--rounds N] [--systems NAME ...] [--requests N]
        [--request-rounds N] [--variant-rounds N] [--otlp-rounds N] [--memory-records N] [--short]

Writes `bench.json`, `bench.md` and `bench.svg`; with `--short`, which takes less than a minute and
looks at our own systems only, `bench-short.json` and `.md`. Exit 0 when all outputs are identical
and no ratio is below its floor by more than the noise, 1 when that is not so, 2 when nothing could
be compared. What is not installed is named as absent. `--programs` names the folder of the programs
that the specification's targets were set by, which then run beside ours as well: in a session of
all systems it is `../shared/peers` beside the checkout, if nothing else is said.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bench_environments import install
from bench_large import RECORDS as MEMORY_RECORDS
from bench_markdown import to_markdown, verdict_lines
from bench_measured_beside import Asking, measure_after, measure_before
from bench_probe import ProbeFailedError
from bench_process import adopt_orphans
from bench_programs import (
    FOLDER,
    NO_FOLDER,
    NOT_ASKED,
    Programs,
    generator_of,
    has_generator,
    systems_of,
)
from bench_programs import RECORDS as PROGRAM_RECORDS
from bench_report import Report, this_environment, to_json
from bench_results import Results
from bench_session import InputFailedError, Plan, RunFailedError, Session
from bench_systems import SHORT, SYSTEMS, System, chosen
from bench_target_table import SHORT as SHORT_TARGETS
from bench_target_table import TARGETS
from bench_targets import evaluate, in_order

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
            folder = programs_folder(options)
            theirs = systems_of(folder) if folder else []
            install(options.environments, _needed([*plan.systems, *theirs]))
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
    parser.add_argument(
        "--systems", nargs="*", choices=names, metavar="NAME", help="only these, or none"
    )
    parser.add_argument("--programs", type=Path, help="folder of the specification's programs")
    parser.add_argument("--environments", type=Path, help="folder of the peers' environments")
    parser.add_argument("--install", action="store_true", help="make these environments first")
    parser.add_argument("--requests", type=_positive, default=8_000, help="requests of each kind")
    parser.add_argument("--request-rounds", type=_positive, default=5, help="of these requests")
    parser.add_argument("--variant-rounds", type=_count, default=6, help="of variants of four")
    parser.add_argument("--otlp-rounds", type=_count, default=3, help="of spans to a receiver")
    parser.add_argument(
        "--memory-records",
        type=_count,
        default=MEMORY_RECORDS,
        help="records of the one run of four for memory alone; of these three, 0 leaves one out",
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the generator")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder to write to")
    parser.add_argument("--timeout", type=_positive, default=900, help="seconds for any one run")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _count(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _plan(options: argparse.Namespace) -> Plan:
    everything = SHORT if options.short else [system.name for system in SYSTEMS]
    sizes = options.records or (SHORT_RECORDS if options.short else RECORDS)
    return Plan(
        systems=chosen(everything if options.systems is None else options.systems),
        records=tuple(sorted(set(sizes))),
        rounds=options.rounds,
        seed=options.seed,
        timeout_seconds=options.timeout,
        budget_seconds=SHORT_BUDGET_SECONDS if options.short else None,
    )


def programs_folder(options: argparse.Namespace) -> Path | None:
    """Give the folder of the specification's programs; None where they are not to run.

    That of the checkout's surroundings is meant only in a session of all systems.
    """
    if options.short or (options.programs is None and options.systems is not None):
        return None
    folder: Path = options.programs or FOLDER
    return folder.resolve() if folder.is_dir() else None


def _needed(systems: Iterable[System]) -> list[str]:
    named = (system.environment for system in systems)
    return list(dict.fromkeys(name for name in named if name is not None))


def _run(plan: Plan, options: argparse.Namespace) -> Report:
    adopt_orphans()
    environments = options.environments and options.environments.resolve()
    folder = programs_folder(options)
    theirs = systems_of(folder) if folder else []
    environment = this_environment([*plan.systems, *theirs], environments)
    if options.short:
        session, results = _session(plan, environments)
        rows = evaluate(results, SHORT_TARGETS)
        return Report(environment, session.input_sha256, plan.systems, results, rows)
    asking = Asking(
        options.requests,
        options.request_rounds,
        options.variant_rounds,
        options.otlp_rounds,
        options.memory_records,
    )
    before = measure_before(asking, plan, _say)
    session, results = _session(plan, environments)
    before.put_into(results)
    measure_after(asking, plan, results, _say)
    programs = _programs(folder, plan, options, environments)
    rows = in_order([*evaluate(results, TARGETS), *programs.rows()])
    return Report(environment, session.input_sha256, plan.systems, results, rows, programs)


def _programs(
    folder: Path | None, plan: Plan, options: argparse.Namespace, environments: Path | None
) -> Programs:
    if folder is None or not has_generator(folder):
        asked = options.programs is not None or options.systems is None
        return Programs(absent=NO_FOLDER if asked else NOT_ASKED)
    sizes = plan.records if options.records else PROGRAM_RECORDS
    theirs = replace(
        plan, systems=systems_of(folder), records=sizes, generator=generator_of(folder)
    )
    try:
        session, results = _session(theirs, environments, "the specification's: ")
    except InputFailedError as fault:
        return Programs(absent=f"no input: {fault}")
    return Programs(theirs.systems, results, session.input_sha256)


def _session(plan: Plan, environments: Path | None, mark: str = "") -> tuple[Session, Results]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        session = Session(plan, Path(folder), environments, lambda line: _say(f"{mark}{line}"))
        return session, session.run()


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

"""Build every package, install each alone in a fresh environment, and run its own tests there.

    python testbeds/minimal_install/run_minimal_install.py [PACKAGE ...] [--versions lowest]
        [--python 3.13] [--distributions DIR] [--no-tests] [--reports reports]

Needs uv and an index of packages. Writes `minimal_install.json` and `.md` (`minimums` with
`--versions lowest`). Exit 0 when nothing is wrong, 1 when something is, 2 when it could not begin.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from install_build import Built, build
from install_check import CHECKOUT, Outcome, Plan, check
from install_environment import Environment, StepFailedError
from install_manifests import Manifest, lowest_pins, read_manifests
from install_report import write

NAMES = {"newest": "minimal_install", "lowest": "minimums"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    manifests = read_manifests(CHECKOUT)
    options = _parser(manifests).parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="sk-install-") as folder:
        try:
            outcomes = _run(options, manifests, Path(folder))
            paths = write(outcomes, options.reports, NAMES[options.versions], options.versions)
        except (StepFailedError, OSError) as error:
            sys.stderr.write(f"minimal_install: {error}\n")
            return 2
    faults = [f"{each.package}: {fault}" for each in outcomes for fault in each.faults]
    sys.stdout.write("\n".join([*faults, f"written: {', '.join(map(str, paths))}", ""]))
    return 1 if faults else 0


def _parser(manifests: Mapping[str, Manifest]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Each package, installed alone.")
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="all, when none is named")
    parser.add_argument("--versions", choices=sorted(NAMES), default="newest")
    parser.add_argument("--python", default=sys.executable, help="a version or a path")
    parser.add_argument("--distributions", type=Path, help="built files to take, and to keep")
    parser.add_argument("--no-tests", action="store_true", help="install only")
    parser.add_argument("--reports", type=Path, default=Path("reports"))
    return parser


def _run(
    options: argparse.Namespace, manifests: Mapping[str, Manifest], folder: Path
) -> list[Outcome]:
    unknown = set(options.packages) - set(manifests)
    if unknown:
        raise StepFailedError(f"no such package: {', '.join(sorted(unknown))}")
    lowest = options.versions == "lowest"
    built = _build(manifests, folder, options.distributions or folder / "dist", lowest=lowest)
    plan = Plan(manifests, built, options.python, lowest, with_tests=not options.no_tests)
    outcomes = []
    for name in options.packages or manifests:
        outcome = check(plan, name)
        outcomes.append(outcome)
        result = "FAILED" if outcome.faults else "passed"
        sys.stdout.write(f"{name}: {result} in {outcome.seconds} s; {outcome.tests}\n")
        sys.stdout.flush()
    return outcomes


def _build(
    manifests: Mapping[str, Manifest], folder: Path, target: Path, *, lowest: bool
) -> dict[str, Built]:
    """Build all with the newest, or the lowest allowed, version of what builds them."""
    wanted = [each for manifest in manifests.values() for each in manifest.build_requirements]
    pins = lowest_pins(wanted) if lowest else {}
    file = folder / "build-constraints.txt"
    file.write_text("".join(f"{name}=={pin}\n" for name, pin in pins.items()), "utf-8")
    environment = Environment.make(folder / "build", sys.executable)
    environment.install(sorted({str(requirement) for requirement in wanted}), file)
    return build(manifests.values(), target, environment.python)


if __name__ == "__main__":
    sys.exit(main())

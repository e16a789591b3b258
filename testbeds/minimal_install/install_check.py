"""One package, installed alone: what comes with it, what does not, and its own tests."""

from __future__ import annotations

import re
import tempfile
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from install_artifacts import sdist_faults, wheel_faults
from install_build import Built, without_sources
from install_environment import Environment, StepFailedError
from install_manifests import Manifest, constraints, group, lowest_pins, reached
from install_table import import_faults, installation_faults
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parents[2]
_SUMMARY = re.compile(r"\d+ passed.* in [\d.]+s")


@dataclass(frozen=True)
class Plan:
    """How packages are to be checked."""

    manifests: Mapping[str, Manifest]
    built: Mapping[str, Built]
    python: str
    lowest: bool = False
    with_tests: bool = True


@dataclass
class Outcome:
    """What came of one package."""

    package: str
    faults: list[str] = field(default_factory=list)
    alone: dict[str, str] = field(default_factory=dict)
    """What the package brings, itself included: versions by name."""
    tests: str = "not run"
    seconds: float = 0.0


def check(plan: Plan, name: str) -> Outcome:
    """Check one package; all that is wrong with it is in the outcome."""
    outcome, begun = Outcome(name), time.monotonic()
    manifest, built = plan.manifests[name], plan.built[name]
    outcome.faults += wheel_faults(manifest, built.wheel)
    outcome.faults += sdist_faults(manifest, built.sdist)
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as folder:
        try:
            _check_alone(plan, outcome, Path(folder) / "alone")
            if plan.with_tests:
                _run_tests(plan, outcome, Path(folder) / "tested")
        except StepFailedError as error:
            outcome.faults.append(str(error))
    outcome.seconds = round(time.monotonic() - begun, 1)
    return outcome


def _check_alone(plan: Plan, outcome: Outcome, folder: Path) -> None:
    """The package and nothing else, not even what its tests need."""
    manifest = plan.manifests[outcome.package]
    environment = Environment.make(folder / "venv", plan.python)
    _install(plan, environment, folder, [Requirement(manifest.name)])
    found = environment.probe([manifest.module], folder)
    outcome.alone = found["distributions"]
    outcome.faults += installation_faults(manifest.name, outcome.alone)
    outcome.faults += import_faults(manifest.name, found["failed"])
    outcome.faults += _origin_faults(found["origins"], environment)


def _run_tests(plan: Plan, outcome: Outcome, folder: Path) -> None:
    """Its tests, from its source distribution, with its test group and the harness of the house."""
    manifest = plan.manifests[outcome.package]
    environment = Environment.make(folder / "venv", plan.python)
    wanted = [Requirement(manifest.name), *manifest.test_requirements]
    _install(plan, environment, folder, wanted, harness())
    modules = [each.module for each in plan.manifests.values()]
    present = {name.replace("-", "_") for name in _names(environment, folder)}
    found = environment.probe([module for module in modules if module in present], folder)
    outcome.faults += _origin_faults(found["origins"], environment)
    checkout = folder / "checkout"
    tests = without_sources(CHECKOUT, plan.built, manifest.name, checkout)
    options = ["-q", "-n", "logical", "--dist", "worksteal", "-p", "no:cacheprovider"]
    said = environment.run(["-m", "pytest", *options, str(tests)], checkout)
    summary = _SUMMARY.search(said)
    outcome.tests = summary.group() if summary else "no summary"


def harness() -> list[Requirement]:
    """What the house's own plugins need: the test tools of the monorepo, without the benches'."""
    return group(tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8")), "test")


def _install(
    plan: Plan,
    environment: Environment,
    folder: Path,
    wanted: list[Requirement],
    tools: list[Requirement] | None = None,
) -> None:
    pins = lowest_pins(reached(wanted, plan.manifests)) if plan.lowest else {}
    wheels = {name: built.wheel for name, built in plan.built.items()}
    lines = constraints(pins, plan.manifests, wheels)
    file = folder / "constraints.txt"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    environment.install([str(requirement) for requirement in [*wanted, *(tools or [])]], file)


def _names(environment: Environment, folder: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = environment.probe([], folder)["distributions"]
    return found


def _origin_faults(origins: Mapping[str, str], environment: Environment) -> list[str]:
    return [
        f"{module} is imported from {file}, not from its wheel"
        for module, file in origins.items()
        if not Path(file).is_relative_to(environment.folder.resolve())
    ]

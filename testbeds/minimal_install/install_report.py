"""The report of a session that installs packages, for machines and for people."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from install_check import Outcome


def write(outcomes: Sequence[Outcome], folder: Path, name: str, versions: str) -> list[Path]:
    """Write ``<name>.json`` and ``<name>.md`` into ``folder``.

    :raises OSError: when that cannot be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.json", folder / f"{name}.md"]
    paths[0].write_text(to_json(outcomes, versions), "utf-8")
    paths[1].write_text(to_markdown(outcomes, versions), "utf-8")
    return paths


def to_json(outcomes: Sequence[Outcome], versions: str) -> str:
    """The report for machines."""
    data = {
        "ok": all(not outcome.faults for outcome in outcomes),
        "versions": versions,
        "platform": platform.platform(),
        "runner": sys.version.split()[0],
        "packages": [asdict(outcome) for outcome in outcomes],
    }
    return json.dumps(data, indent=2, sort_keys=True) + "\n"


def to_markdown(outcomes: Sequence[Outcome], versions: str) -> str:
    """The report for people."""
    rows = [
        f"| {each.package} | {'passed' if not each.faults else 'FAILED'} | {each.tests} "
        f"| {', '.join(_brought(each))} |"
        for each in outcomes
    ]
    faults = [f"- {each.package}: {fault}" for each in outcomes for fault in each.faults]
    return "\n".join(
        [
            f"# Each package installed alone ({versions} versions)",
            "",
            "| package | result | its own tests | what comes with it |",
            "|---|---|---|---|",
            *rows,
            *(["", "## Faults", "", *faults] if faults else []),
            "",
        ]
    )


def _brought(outcome: Outcome) -> list[str]:
    return [
        f"{name} {version}"
        for name, version in sorted(outcome.alone.items())
        if name != outcome.package
    ]

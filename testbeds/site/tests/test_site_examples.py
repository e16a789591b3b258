"""The examples of the pages do what the pages say."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import pytest
from page_examples import commands, said_by, write_files
from source_tree import ROOT

PAGES = [
    "README.md",
    "docs/quickstart.md",
    "docs/tutorial.md",
    "docs/nodes.md",
    "docs/configuration.md",
    "docs/requests.md",
    "docs/testing.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_says_what_the_page_says(page: str, tmp_path: Path) -> None:
    text = (ROOT / page).read_text("utf-8")
    write_files(text, tmp_path)
    expected = dict(commands(text))
    assert expected
    assert {command: said_by(command, tmp_path) for command in expected} == expected


def test_the_exporter_of_the_page_is_found_by_its_entry_point_and_told_of_faults(
    tmp_path: Path,
) -> None:
    for page in ("quickstart", "extending"):
        write_files((ROOT / "docs" / f"{page}.md").read_text("utf-8"), tmp_path)
    install(tmp_path)
    kind = "runtime.observability.tracing.exporters=[{{kind: counting, settings: {}}}]"
    settings = shlex.quote(kind.format("{path: counts.txt}"))
    said_by(f"sk run hello.yaml --quiet --set {settings}", tmp_path)
    assert "greet 3" in (tmp_path / "counts.txt").read_text().splitlines()
    refused = said_by(f"sk check hello.yaml --set {shlex.quote(kind.format('{}'))}", tmp_path)
    assert "tracing.exporters[0].settings.path" in refused


def install(folder: Path) -> None:
    """Make the project in ``folder`` known to Python there, as an installer would."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    info = folder / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(metadata, "utf-8")
    lines: list[str] = []
    for group, names in project["entry-points"].items():
        lines += [f"[{group}]", *map(" = ".join, names.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), "utf-8")

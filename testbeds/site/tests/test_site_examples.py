"""The examples of the pages do what the pages say."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import pytest
from page_examples import commands, said_by, write_files
from source_tree import ROOT

#: What a server does whose run has lost a worker, and which a signal ends then.
LOST = """
import asyncio, os, signal
from web import app

async def main():
    state, given, sent, told = {}, asyncio.Queue(), asyncio.Queue(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    life = asyncio.create_task(app({"type": "lifespan", "state": state}, given.get, sent.put))
    await given.put({"type": "lifespan.startup"})
    print((await sent.get())["type"])
    os.kill(state["service"].status().workers()[0].os_pid, signal.SIGKILL)
    await told.wait()
    await app({"type": "http", "path": "/Ada", "state": state}, given.get, sent.put)
    print((await sent.get())["status"], (await sent.get())["body"])
    await given.put({"type": "lifespan.shutdown"})
    await life
    print((await sent.get())["type"])

asyncio.run(main())
"""
PLACED = """
  platform:
    bootstrap: {mode: process_supervisor}
    execution_ipc: {transport: tcp_local, control: {}}
    process_groups: [{name: all, nodes: ["source:source", greet, "sink:sink"]}]
"""

PAGES = [
    "README.md",
    "docs/quickstart.md",
    "docs/tutorial.md",
    "docs/nodes.md",
    "docs/sources.md",
    "docs/sinks.md",
    "docs/services.md",
    "docs/recipes.md",
    "docs/configuration.md",
    "docs/requests.md",
    "docs/replay.md",
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


def test_the_web_server_of_the_page_answers_503_when_its_run_has_ended_and_ends_itself(
    tmp_path: Path,
) -> None:
    write_files((ROOT / "docs" / "requests.md").read_text("utf-8"), tmp_path)
    greeting = tmp_path / "greeting.yaml"
    modules = "  discovery_modules: [greeting]\n"
    text = greeting.read_text("utf-8")
    assert modules in text
    greeting.write_text(text.replace(modules, modules + PLACED.lstrip("\n")), "utf-8")
    (tmp_path / "lost.py").write_text(LOST, "utf-8")
    said = said_by("python lost.py", tmp_path).splitlines()
    assert said == ["lifespan.startup.complete", "503 b'null'", "lifespan.shutdown.failed"]


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

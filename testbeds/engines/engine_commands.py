"""The application as ``sk run`` runs it: to an exit code, or as a process of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_engines import Engine
from engine_configuration import OLD, OUTPUT, RUN_ID, configuration
from sk_config import build_config
from sk_supervisor import run


@dataclass(frozen=True)
class Told:
    """A run from its configuration to its exit code, as ``sk run`` does it."""

    folder: Path
    code: int
    said: str

    @property
    def output(self) -> str:
        """What is in the place of the output, where an old one was before."""
        return (self.folder / OUTPUT).read_text()

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Every span of every process."""
        return _documents(self.folder, "spans*.jsonl")

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lifecycle events, in order."""
        return _documents(self.folder, "events.jsonl")

    def named(self, name: str) -> list[dict[str, Any]]:
        """The events of one name."""
        return [event for event in self.events if event["event"] == name]

    def at(self, name: str) -> list[int]:
        """The places of the events of one name."""
        return [event["sequence"] for event in self.named(name)]


def told(engine: Engine, folder: Path, **changes: Any) -> Told:
    """Run the application to its end, whatever that is."""
    (folder / OUTPUT).write_text(OLD)
    said = io.StringIO()
    config = build_config(configuration(engine, folder, **changes))
    code = run(config, run_id=RUN_ID, stderr=said)
    return Told(folder, code, said.getvalue())


@contextmanager
def command(engine: Engine, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """``sk run`` as a process of its own, without an end; its lines and messages come on pipes."""
    path = folder / "config.json"
    path.write_text(json.dumps(configuration(engine, folder, count=0, path="-", sampling=0.0)))
    arguments = [sys.executable, "-m", "sk_supervisor", "run", str(path), "--run-id", RUN_ID]
    search = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search)}
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _documents(folder: Path, pattern: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(folder.glob(pattern))
        for line in path.read_text("utf-8").splitlines()
    ]

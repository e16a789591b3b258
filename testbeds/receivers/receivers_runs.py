"""The run that is sent to receivers: fund load over four processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from received import Received, written

RECORDS = 100
"""What is decided on; blank lines, which the input has too, are no records."""
_SECONDS = 120


class Runs:
    """Runs of fund load over four processes, their spans to `jsonl` and to one exporter more."""

    def __init__(self, folder: Path) -> None:
        """Work in the folder, and generate the input there."""
        self.folder = folder
        generate = ["generate", "--records", str(RECORDS), "--seed", "7", "--dirty"]
        self._call(*generate, "--output", "in")

    def run(self, name: str, kind: str, settings: str) -> list[Received]:
        """Run once, and hold that its summary says that all was exported; give all spans."""
        account = self.folder / f"{name}.jsonl"
        own = f"{{kind: jsonl, settings: {{path: {account}}}}}"
        exporter = f"{{kind: {kind}, settings: {settings}}}"
        said = self._call(
            *("run", "--rules", "exp_mp", "--profile", "multiprocess", "--run-id", name),
            *("--input", "in", "--output", f"{name}.out", "--rejects", f"{name}.rejects"),
            *("--set", f"runtime.observability.tracing.exporters=[{own}, {exporter}]"),
        )
        spans = written(account)
        assert f"spans: {len(spans):,} created, {len(spans):,} exported by {kind}\n" in said, said
        return spans

    def _call(self, *arguments: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-m", "sk_fundload", *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if ended.returncode:
            raise AssertionError(f"{arguments[0]} ended with {ended.returncode}: {ended.stderr}")
        return ended.stderr

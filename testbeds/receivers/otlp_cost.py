"""What 100 % sampling to an OTLP receiver costs a run: seconds more, and spans that are lost.

    python testbeds/receivers/otlp_cost.py [--records 1000] [--rounds 7] [--json]

Fund load over four processes, without exporters, over gRPC and over HTTP, by turns, since a machine
has its moods. The receiver is this process. Writes a table in Markdown to standard output, or as
JSON what each round adds (for `testbeds/bench`, which has a row for it).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from sk_observability.testing import OtlpReceiver

NOBODY: Final = "nobody"
PROTOCOLS: Final = ("grpc", "http")
_CREATED: Final = re.compile(r"spans: ([\d,]+) created, ([\d,]+) exported")
_PATIENCE_SECONDS: Final = 300


class Cost(NamedTuple):
    """Of one run: both in seconds; the processor's is that of its whole process tree."""

    wall: float
    processor: float


class Runs:
    """Runs of fund load in a folder, whose output is held to be the same every time."""

    def __init__(self, folder: Path, records: int) -> None:
        """Generate the input."""
        self._folder = folder
        generate = ["generate", "--records", str(records), "--seed", "1", "--output", "in"]
        self._call(*generate)
        self._output: bytes | None = None

    def run(self, exporters: list[dict[str, Any]]) -> tuple[Cost, str]:
        """Run once; what it cost, and what it said."""
        began, used = time.perf_counter(), _used()
        said = self._call(
            *("run", "--rules", "exp_mp", "--profile", "multiprocess"),
            *("--input", "in", "--output", "out"),
            *("--set", f"runtime.observability.tracing.exporters={json.dumps(exporters)}"),
        )
        cost = Cost(time.perf_counter() - began, _used() - used)
        written = (self._folder / "out").read_bytes()
        if written != (self._output or written):
            raise SystemExit("the output is another one")
        self._output = written
        return cost, said

    def _call(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "sk_fundload", *arguments],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=True,
            env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
        ).stderr


class Found(NamedTuple):
    """The costs by receiver, a round each; the spans of a run, and those lost in all of them."""

    costs: dict[str, list[Cost]]
    created: int
    lost: dict[str, int]


def measure(folder: Path, records: int, rounds: int) -> Found:
    """Run by turns."""
    runs = Runs(folder, records)
    costs: dict[str, list[Cost]] = {name: [] for name in (NOBODY, *PROTOCOLS)}
    created, lost = 0, dict.fromkeys(costs, 0)
    with OtlpReceiver("grpc") as grpc, OtlpReceiver("http") as http:
        for number in range(rounds + 1):
            for name, receiver in ((NOBODY, None), ("grpc", grpc), ("http", http)):
                before = len(receiver.spans) if receiver else 0
                told = [{"kind": "otel_otlp", "settings": receiver.settings}] if receiver else []
                cost, said = runs.run(told)
                if number:  # the first round is nobody's: modules are compiled, files in memory
                    costs[name].append(cost)
                if receiver:
                    created = _created(said)
                    lost[name] += created - (len(receiver.spans) - before)
    return Found(costs, created, lost)


def added(costs: dict[str, list[Cost]], name: str) -> list[Cost]:
    """What a receiver adds to its round's run without one, round by round."""
    pairs = zip(costs[name], costs[NOBODY], strict=True)
    return [Cost(a.wall - b.wall, a.processor - b.processor) for a, b in pairs]


def as_json(found: Found, records: int) -> str:
    """What each round adds on the wall, by protocol."""
    seconds = {name: [cost.wall for cost in added(found.costs, name)] for name in PROTOCOLS}
    lost = {name: found.lost[name] for name in PROTOCOLS}
    document = {"records": records, "spans": found.created, "added_seconds": seconds, "lost": lost}
    return json.dumps(document)


def table(costs: dict[str, list[Cost]], created: int, lost: dict[str, int]) -> str:
    """The costs by receiver, and what each adds to its round's run without one (the median)."""
    lines = [
        "| spans to | wall: median | least | most | processor: median | spans a run | lost |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, all_of_it in costs.items():
        walls = sorted(cost.wall for cost in all_of_it)
        processor = median(cost.processor for cost in all_of_it)
        spans = ("", "") if name == NOBODY else (f"{created:,}", str(lost[name]))
        seconds = f"{median(walls):.2f} | {walls[0]:.2f} | {walls[-1]:.2f} | {processor:.2f}"
        lines.append(f"| {name} | {seconds} | {spans[0]} | {spans[1]} |")
    for name in PROTOCOLS:
        more = added(costs, name)
        wall, used = (median(column) for column in zip(*more, strict=True))
        lines.append(f"\nadded by {name}: wall {wall:.2f}, processor {used:.2f}")
    return "\n".join(lines)


def _created(said: str) -> int:
    found = _CREATED.search(said)
    if found is None:
        raise SystemExit(f"the run has told of no spans:\n{said}")
    return int(found[1].replace(",", ""))


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="What spans to an OTLP receiver cost a run.")
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="what each round adds, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), options.records, options.rounds)
    told = as_json(found, options.records) if options.json else table(*found)
    sys.stdout.write(told + "\n")


if __name__ == "__main__":
    main()

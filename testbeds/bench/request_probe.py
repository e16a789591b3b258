"""Requests to fund load over four processes: one at a time, and many in flight. Prints JSON.

    python testbeds/bench/request_probe.py [--requests N] [--in-flight N]

Each request is a line of input, which passes all four groups and comes back as its line of output.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.resources import files

import yaml
from sk_config import Config, build_config
from sk_fundload.generator import generate
from sk_fundload.messages import RawLine
from sk_kernel import Envelope
from sk_supervisor import Service, serve

WARM_UP = 500


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, and print what was measured."""
    parser = argparse.ArgumentParser(description="Requests to fund load.")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--in-flight", type=int, default=256)
    options = parser.parse_args(arguments)
    config = served()
    lines = iter(list(attempts(2 * options.requests + 2 * WARM_UP)))  # made before, not meanwhile
    with serve(config) as service:
        one_at_a_time(service, lines, WARM_UP)
        seconds = sorted(one_at_a_time(service, lines, options.requests))
        asyncio.run(in_flight(service, lines, WARM_UP, options.in_flight))
        began = time.perf_counter()
        asyncio.run(in_flight(service, lines, options.requests, options.in_flight))
        taken = time.perf_counter() - began
        workers = len(service.status().workers())
    figures = {
        "requests": options.requests,
        "in_flight": options.in_flight,
        "workers": workers,
        "median_ms": 1000 * seconds[len(seconds) // 2],
        "p99_ms": 1000 * seconds[len(seconds) * 99 // 100],
        "per_second": options.requests / taken,
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


def served() -> Config:
    """Fund load as it is configured for four processes, with callers in place of its adapters."""
    path = files("sk_fundload") / "configs" / "baseline_multiprocess.yaml"
    mapping = yaml.safe_load(path.read_text("utf-8"))
    mapping["adapters"] = {"source": {"name": "requests"}, "sink": {"name": "replies"}}
    for group in mapping["runtime"]["platform"]["process_groups"]:
        group["nodes"] = [name for name in group["nodes"] if not name.endswith("_line_bridge")]
    return build_config(mapping)


def attempts(count: int) -> Iterator[RawLine]:
    """So many lines of the generator, in order."""
    lines = (line for block in generate(count, seed=1) for line in block.splitlines())
    for number, line in enumerate(lines, 1):
        yield RawLine(number, line)


def one_at_a_time(service: Service, lines: Iterator[RawLine], count: int) -> list[float]:
    """Give the seconds of each."""
    seconds = []
    for _ in range(count):
        envelope = Envelope(next(lines))
        began = time.perf_counter()
        outcome = service.request(envelope).wait()
        seconds.append(time.perf_counter() - began)
        assert outcome.status == "success", outcome
    return seconds


async def in_flight(service: Service, lines: Iterator[RawLine], count: int, many: int) -> None:
    """Ask with so many in flight at any time."""
    left = iter(range(count))

    async def caller() -> None:
        for _ in left:
            outcome = await service.request(Envelope(next(lines)))
            assert outcome.status == "success", outcome

    await asyncio.gather(*(caller() for _ in range(many)))


if __name__ == "__main__":
    sys.exit(main())

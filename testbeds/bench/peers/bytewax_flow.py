"""Bytewax, one worker, its batch operators: the fastest of the six ways that were measured.

    python bytewax_flow.py RULES INPUT OUTPUT REJECTS

The rules need one order over all customers (one prime id a day), so the stateful steps have one
key. Source and sink carry bytes, since the ones it brings decode text and so change what is wrong
with a line.
"""

# mypy: allow-subclassing-any
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.run import cli_main
from fund_load import RULE_SETS, Features, Policies, Reader, Writer, numbered_batches, told

KEY = "all"


class LinePartition(StatelessSourcePartition):
    """Numbered lines, a batch at a time."""

    def __init__(self, path: str) -> None:
        self._batches = numbered_batches(path)

    def next_batch(self) -> list[tuple[int, bytes]]:
        """Give the next lines; StopIteration ends the stream."""
        return next(self._batches)


class LineSource(DynamicSource):
    """A file of lines."""

    def __init__(self, path: str) -> None:
        self._path = path

    def build(self, _step: str, _index: int, _count: int) -> LinePartition:
        """Open it, for the one worker."""
        return LinePartition(self._path)


class DecisionPartition(StatelessSinkPartition):
    """Keyed decisions to files."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def write_batch(self, items: list[Any]) -> None:
        """Write a batch."""
        self._writer.write([decision for _, decision in items])

    def close(self) -> None:
        """Finish the files."""
        self._writer.close()


class DecisionSink(DynamicSink):
    """The two files of output."""

    def __init__(self, output: str, rejects: str) -> None:
        self._places = output, rejects

    def build(self, _step: str, _index: int, _count: int) -> DecisionPartition:
        """Open them, for the one worker."""
        return DecisionPartition(Writer(*self._places))


class Stage(StatefulBatchLogic):
    """A stage as a stateful operator."""

    def __init__(self, stage: Callable[[Any], Any]) -> None:
        self._stage = stage

    def on_batch(self, values: list[Any]) -> tuple[list[Any], bool]:
        """Put a batch through; the state stays."""
        return [self._stage(value) for value in values], StatefulBatchLogic.RETAIN

    def snapshot(self) -> Any:
        """Give the state. Recovery is not on, so nobody asks."""
        return self._stage


def flow_of(rules: str, source: str, output: str, rejects: str) -> Dataflow:
    """Lay the job out."""
    chosen, read = RULE_SETS[rules], Reader()

    def read_batch(lines: list[tuple[int, bytes]]) -> list[tuple[str, Any]]:
        attempts = [read(line_no, line) for line_no, line in lines]
        return [(KEY, attempt) for attempt in attempts if attempt is not None]

    flow = Dataflow("fund_load")
    lines = op.input("ingress", flow, LineSource(source))
    attempts = op.flat_map_batch("parse", lines, read_batch)
    featured = op.stateful_batch(
        "features", attempts, lambda state: state or Stage(Features(chosen))
    )
    decided = op.stateful_batch("policy", featured, lambda state: state or Stage(Policies(chosen)))
    op.output("egress", decided, DecisionSink(output, rejects))
    return flow


if __name__ == "__main__":
    cli_main(flow_of(*told()))

"""Apache Beam on its in-process runner: one key, grouped and sorted, then the stages in order.

    python beam_pipeline.py RULES INPUT OUTPUT REJECTS

Its model promises no order to a stateful step, so the one that needs it sorts by line.
"""

# mypy: allow-subclassing-any
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import apache_beam as beam
import marks
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from fund_load import (
    RULE_SETS,
    Attempt,
    Decision,
    Features,
    Policies,
    Reader,
    numbered_batches,
    output_line,
    told,
)

REJECTS = "rejects"


class Read(beam.DoFn):
    """A path to its attempts, each with its line's number."""

    def process(self, path: str) -> Iterator[tuple[str, tuple[int, Attempt]]]:
        """Read the file."""
        read = Reader()
        for batch in numbered_batches(path):
            for line_no, line in batch:
                attempt = read(line_no, line)
                if attempt is not None:
                    yield "all", (line_no, attempt)


class Adjudicate(beam.DoFn):
    """All attempts, in order, to decisions."""

    def __init__(self, rules: str) -> None:
        self._rules = rules

    def process(self, keyed: tuple[str, Iterable[tuple[int, Attempt]]]) -> Iterator[Decision]:
        """Sort, then decide one by one."""
        rules = RULE_SETS[self._rules]
        features, policies = Features(rules), Policies(rules)
        for _, attempt in sorted(keyed[1], key=lambda numbered: numbered[0]):
            yield policies(features(attempt))


class Format(beam.DoFn):
    """A decision to its line, and, beside, to the account of an unreadable one."""

    counts: ClassVar[Counter[str]] = Counter()

    def process(self, decision: Decision) -> Iterator[Any]:
        """Give the line without its end."""
        Format.counts[decision.reason] += 1
        yield output_line(decision)[:-1]
        if decision.reject:
            yield beam.pvalue.TaggedOutput(REJECTS, decision.reject[:-1].decode())


def main() -> None:
    """Run the pipeline in this process."""
    rules, source, output, rejects = told()
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        attempts = pipeline | beam.Create([source]) | beam.ParDo(Read())
        decisions = attempts | beam.GroupByKey() | beam.ParDo(Adjudicate(rules))
        lines = decisions | beam.ParDo(Format()).with_outputs(REJECTS, main="output")
        for name, place in (("output", output), (REJECTS, rejects)):
            sink = beam.io.WriteToText(place, num_shards=1, shard_name_template="")
            _ = lines[name] | f"write {name}" >> sink
    marks.last_byte(Format.counts)


if __name__ == "__main__":
    main()

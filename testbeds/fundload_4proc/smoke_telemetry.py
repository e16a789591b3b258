"""The telemetry of the smoke run: every span of 1 000 records, by four accounts that must agree.

What the run says that it created and exported, the lines in a file, what a real OTLP receiver took,
and the spans that the memory profile makes of the same records.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parity_runs import Runs

if TYPE_CHECKING:
    from sk_observability.testing import ReceivedSpan

RECORDS = 1_000
GROUPS = 4
RUN_ID = "smoke"
EVENTS_OF_FOUR = "four-events"
_RULES = "exp_mp"


@dataclass(frozen=True)
class SmokeTelemetry:
    """Spans, and traces of records; `whole` are those through all nodes and groups.

    `problems` are the run's own: spans that it cannot account for, processes that were killed.
    """

    records: int
    whole: int
    created: int
    exported: Mapping[str, int]
    dropped: int
    written: int
    received: int
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no span was lost, and no trace is broken."""
        told = {*self.exported.values(), self.written, self.received}
        lossless = bool(self.exported) and told == {self.created} and self.dropped == 0
        return lossless and self.whole == self.records > 0 and not self.problems

    def line(self) -> str:
        """The summary for a terminal."""
        exported = ", ".join(f"{name} {count:,}" for name, count in self.exported.items())
        verdict = "nothing lost" if self.ok else "TELEMETRY IS LOST"
        return (
            f"{self.whole:,} of {self.records:,} traces whole; {self.created:,} spans created,"
            f" exported by {exported}, received {self.received:,}: {verdict}"
        )


def telemetry_of(runs: Runs, folder: Path, seed: int) -> SmokeTelemetry:
    """Run the records in both profiles with every one of them traced, and compare."""
    from sk_observability.testing import OtlpReceiver  # a second, which not every call has

    source = runs.generate(RECORDS, seed, dirty=False)
    runs.workload(_RULES, "memory", source, _options("memory", _jsonl("memory-spans")))
    with OtlpReceiver() as receiver:
        exporters = [_jsonl("spans"), {"kind": "otel_otlp", "settings": receiver.settings}]
        runs.workload(_RULES, "multiprocess", source, _options("four", *exporters))
        return compared(
            _lines(folder / "memory-spans"),
            _lines(folder / "spans"),
            receiver.spans,
            _lines(folder / EVENTS_OF_FOUR),
        )


def compared(
    alone: Iterable[Mapping[str, Any]],
    written: Iterable[Mapping[str, Any]],
    received: Iterable[ReceivedSpan],
    events: Iterable[Mapping[str, Any]],
) -> SmokeTelemetry:
    """Hold the accounts against each other; `alone` are the spans of the memory profile."""
    expected = _ids((span["trace_id"], span["span_id"]) for span in alone if span["sequence"])
    received = list(received)
    found = _ids((span.trace_id, span.span_id) for span in received)
    groups = _ids((span.trace_id, str(span.attributes["process_group"])) for span in received)
    most = max(map(len, expected.values()), default=0)
    whole = [
        trace
        for trace, spans in expected.items()
        if len(spans) == most and found.get(trace) == spans and len(groups[trace]) == GROUPS
    ]
    told = [(event["event"], event["worker"], event["fields"]) for event in events]
    sums = [fields for name, _, fields in told if name == "spans_accounted"]
    return SmokeTelemetry(
        records=RECORDS,
        whole=len(whole),
        created=max((fields["created"] for fields in sums), default=0),
        exported={fields["exporter"]: fields["exported"] for fields in sums},
        dropped=sum(fields["dropped"] for fields in sums),
        written=len({span["span_id"] for span in written}),
        received=len({span.span_id for span in received}),
        problems=tuple(
            f"{name}: {worker}"
            for name, worker, _ in told
            if name in ("spans_unknown", "spans_unaccounted")
        ),
    )


def _ids(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return found


def _jsonl(path: str) -> dict[str, Any]:
    return {"kind": "jsonl", "settings": {"path": path}}


def _options(label: str, *exporters: Mapping[str, Any]) -> list[str]:
    rails = {"tracing": exporters, "logging": [_jsonl(f"{label}-events")]}
    options = ["--run-id", RUN_ID]
    for rail, several in rails.items():
        options += ["--set", f"runtime.observability.{rail}.exporters={json.dumps(several)}"]
    return options


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]

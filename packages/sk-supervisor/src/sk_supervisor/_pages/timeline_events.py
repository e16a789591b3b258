"""Reading the lifecycle events that the log exporter ``jsonl`` wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from os import PathLike, fspath
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from sk_kernel import LifecycleEvent

from sk_supervisor._pages.trace_span import Span
from sk_supervisor._text.jsonl import JsonLines, Others
from sk_supervisor.errors import NotRecordedError

MOST_EVENTS: Final = 20_000
"""The maximum number of events held; events of earlier runs are dropped first, then new ones."""
_SPANS: Final = Others(Span, "spans, which `sk trace` shows")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class EventLine(msgspec.Struct, frozen=True):
    """A line of the exporter. Fields with a default may be missing."""

    sequence: int
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    event: str
    correlation_id: str = ""
    level: Literal["debug", "info", "warn", "error"] = "info"
    group: str | None = None
    worker: str | None = None
    fields: dict[str, Any] = {}

    def as_event(self) -> LifecycleEvent:
        """The event, with its time to the microsecond."""
        return LifecycleEvent(
            sequence=self.sequence,
            time_ns=(self.time - _EPOCH) // timedelta(microseconds=1) * 1_000,
            name=self.event,
            level="debug" if self.level == "debug" else "info",
            correlation_id=self.correlation_id,
            group=self.group,
            worker=self.worker,
            fields=self.fields,
        )


class RecordedEvents:
    """The events of one run, in the order of the files, and notes on what else the files contain.

    ``run_id`` selects the run; without it, it is the run that wrote last. If several runs have that
    id, ``which`` selects one, counted from 1; without it, it is the last. ``notes`` are sentences
    about other runs, events that were not held, and lines that could not be read. ``bad`` counts
    those lines, without half lines of writers that were killed.

    :raises RecordedFileError: when a file cannot be read.
    :raises NotRecordedError: when there is no event of that run.
    """

    def __init__(
        self,
        paths: Sequence[str | PathLike[str]],
        run_id: str | None = None,
        which: int | None = None,
    ) -> None:
        lines = JsonLines(paths, EventLine, _SPANS)
        held, left = _by_run(lines, run_id)
        last = next(reversed(held), None)
        wanted = last if last is None or which is None else _Run(last.run_id, which)
        if wanted is None or wanted not in held:
            of = run_id if last is None else last.run_id
            run = "" if of is None else f" of run {of!r}" + (f", number {which}" if which else "")
            files = [fspath(path) for path in paths]
            raise NotRecordedError(f"lifecycle event{run}", files, lines.told())
        self.run_id = wanted.run_id
        self.events = held[wanted]
        self.bad = lines.bad
        self.notes = list(lines.told())
        self.notes += _others(wanted, list(held))
        if left:
            self.notes.append(f"{left:,} events more were read than are held.")


def read_events(path: str | PathLike[str], run_id: str | None = None) -> list[LifecycleEvent]:
    """Read the events of one run from a file that the log exporter ``jsonl`` wrote.

    Without a ``run_id``, it is the run that wrote last. Times are to the microsecond. Lines that
    cannot be read are left out; `sk timeline` reports them.

    :raises RecordedFileError: when the file cannot be read.
    :raises NotRecordedError: when there is no event of that run.
    """
    return RecordedEvents([path], run_id).events


class _Run(NamedTuple):
    """A run: its id, and its number, from 1, among the runs with that id."""

    run_id: str
    number: int


class _Numbering:
    """Tells runs with the same id apart.

    A later event whose sequence number is not higher than the last begins the next run.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[_Run, LifecycleEvent]] = {}

    def of(self, event: LifecycleEvent) -> _Run:
        run, last = self._last.get(event.correlation_id, (_Run(event.correlation_id, 1), event))
        if event.sequence <= last.sequence and event.time_ns > last.time_ns:
            run = _Run(run.run_id, run.number + 1)
        self._last[run.run_id] = run, event
        return run


def _others(shown: _Run, runs: Sequence[_Run]) -> Iterator[str]:
    """Notes about the runs that are not shown."""
    last = max(run.number for run in runs if run.run_id == shown.run_id)
    if last > 1:
        several = f"The files hold {last} runs of the id {shown.run_id}, one after the other"
        yield f"{several}: number {shown.number} is shown, --which chooses."
    if ids := dict.fromkeys(run.run_id for run in runs if run.run_id != shown.run_id):
        yield f"The files hold events of other runs too: {', '.join(list(ids)[-5:])}."


def _by_run(
    lines: Iterable[EventLine], run_id: str | None
) -> tuple[dict[_Run, list[LifecycleEvent]], int]:
    held: dict[_Run, list[LifecycleEvent]] = {}
    numbering = _Numbering()
    size = left = 0
    for line in lines:
        if run_id is not None and line.correlation_id != run_id:
            continue
        event = line.as_event()
        run = numbering.of(event)
        if next(reversed(held), None) != run:
            held[run] = held.pop(run, [])  # keep the run that wrote last at the end
        while size >= MOST_EVENTS and len(held) > 1:
            gone = held.pop(next(iter(held)))
            size, left = size - len(gone), left + len(gone)
        if size < MOST_EVENTS:
            held[run].append(event)
            size += 1
        else:
            left += 1
    return held, left

"""Lifecycle events as the log exporter ``jsonl`` wrote them, read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from os import PathLike, fspath
from typing import Annotated, Any, Final, Literal

import msgspec
from sk_kernel import LifecycleEvent

from sk_supervisor._text.jsonl import JsonLines
from sk_supervisor.errors import NotRecordedError

MOST_EVENTS: Final = 20_000
"""The events that are held; those of an earlier run go first, and then the later ones."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class EventLine(msgspec.Struct, frozen=True):
    """A line of the exporter. What it need not have may be absent."""

    sequence: int
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    event: str
    correlation_id: str = ""
    level: Literal["debug", "info", "warn", "error"] = "info"
    group: str | None = None
    worker: str | None = None
    fields: dict[str, Any] = {}

    def as_event(self) -> LifecycleEvent:
        """Give the event, its time to the microsecond."""
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
    """The events of one run in files, in the order of the files, and what else there was.

    ``run_id`` is the run looked for; without one it is the run that wrote last. ``notes`` are
    sentences on other runs, on events that were not held and on lines that could not be read, of
    which ``bad`` is the number (the half line of a writer that was killed is no bad one).

    :raises RecordedFileError: when a file cannot be read.
    :raises NotRecordedError: when there is no event of that run.
    """

    def __init__(self, paths: Sequence[str | PathLike[str]], run_id: str | None = None) -> None:
        lines = JsonLines(paths, EventLine)
        held, left = _by_run(lines, run_id)
        if not held:
            what = "lifecycle event" if run_id is None else f"lifecycle event of run {run_id!r}"
            raise NotRecordedError(what, [fspath(path) for path in paths])
        self.run_id = run_id if run_id is not None else next(reversed(held))
        self.events = held.pop(self.run_id)
        self.bad = lines.bad
        self.notes = list(lines.told())
        if held:
            others = ", ".join(list(held)[-5:])
            self.notes.append(f"The files hold events of other runs too: {others}.")
        if left:
            self.notes.append(f"{left:,} events more were read than are held.")


def read_events(path: str | PathLike[str], run_id: str | None = None) -> list[LifecycleEvent]:
    """Give the events of one run in a file that the log exporter ``jsonl`` wrote, times in µs.

    Without a ``run_id``, of the run that wrote last. Lines that cannot be read are left out; `sk
    timeline` tells of them.

    :raises RecordedFileError: when the file cannot be read.
    :raises NotRecordedError: when there is no event of that run.
    """
    return RecordedEvents([path], run_id).events


def _by_run(
    lines: Iterable[EventLine], run_id: str | None
) -> tuple[dict[str, list[LifecycleEvent]], int]:
    held: dict[str, list[LifecycleEvent]] = {}
    size = left = 0
    for line in lines:
        run = line.correlation_id
        if run_id is not None and run != run_id:
            continue
        if next(reversed(held), None) != run:
            held[run] = held.pop(run, [])  # the run that wrote last stands last
        while size >= MOST_EVENTS and len(held) > 1:
            gone = held.pop(next(iter(held)))
            size, left = size - len(gone), left + len(gone)
        if size < MOST_EVENTS:
            held[run].append(line.as_event())
            size += 1
        else:
            left += 1
    return held, left

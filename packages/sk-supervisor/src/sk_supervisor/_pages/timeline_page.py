"""The timeline of a run as an HTML figure for any page. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sk_kernel import LifecycleEvent

from sk_supervisor._pages.lanes import Scale, Swimlane, bar, key, lanes, mark
from sk_supervisor._pages.timeline import STATES, Timeline, WorkerHistory, is_bad, timeline_of
from sk_supervisor._text.markup import Markup, Piece, page, tag
from sk_supervisor._text.units import lasting, moment

MOST_LANES: Final = 200
"""The maximum number of lanes in a figure; the others are counted."""
MOST_EVENTS: Final = 200
"""The maximum number of events that a lane lists; the others are counted."""
_COLOURS: Final = {
    "starting": "c2",
    "loaded": "c3",
    "ready": "c4",
    "running": "c1",
    "drained": "c0",
    "stopping": "c7",
    "failed": "failed",
}


def timeline_html(events: Iterable[LifecycleEvent], *, notes: Iterable[str] = ()) -> str:
    """Draw the events of one run as an HTML ``<figure>``, for any page.

    It has one lane for the supervisor and one for each worker, with its incarnations one after the
    other. The figure contains its style, which applies only inside it. It loads nothing and runs no
    script; text from events is escaped. ``notes`` are sentences shown above the lanes.

    :raises ValueError: when there is no event.
    """
    found = list(events)
    if not found:
        raise ValueError("a timeline needs at least one event")
    return str(_figure(timeline_of(found), list(notes)))


def timeline_page(timeline: Timeline, notes: Iterable[str] = ()) -> str:
    """Draw a timeline on a page of its own."""
    return page(f"Timeline of run {timeline.run_id}", _figure(timeline, list(notes)))


def facts_of(timeline: Timeline) -> list[tuple[str, str]]:
    """The (name, value) facts about a run."""
    return [
        ("run", timeline.run_id),
        ("workers", f"{len(timeline.lives) - 1:,}"),
        ("failures", f"{timeline.failures:,}"),
        ("began", moment(timeline.begin_ns)),
        (
            "took" if timeline.has_ended else "last event after",
            lasting(timeline.end_ns - timeline.begin_ns),
        ),
    ]


def said(event: LifecycleEvent) -> str:
    """An event as one line, without the fields that :func:`texts` yields."""
    long = dict(texts(event))
    shown = (
        f"{name}={value}"
        for name, value in event.fields.items()
        if value is not None and name not in long
    )
    return f"{event.name} {', '.join(shown)}".strip()


def texts(event: LifecycleEvent) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of the fields with several lines, such as a worker's last output."""
    for name, value in event.fields.items():
        if isinstance(value, str) and "\n" in value:
            yield name, value


def _figure(timeline: Timeline, notes: list[str]) -> Markup:
    scale = Scale.of(timeline.begin_ns, timeline.end_ns)
    shown = timeline.lives[:MOST_LANES]
    if len(shown) < len(timeline.lives):
        notes.append(f"{len(shown):,} of {len(timeline.lives):,} lanes are drawn.")
    seen = {stretch.state for life in shown for stretch in life.stretches}
    legend = [key(_COLOURS[state], state) for state in STATES if state in seen]
    if any(life.marks for life in shown):
        legend.append(key("mark", "an event; red: a fault"))
    return lanes(
        (_lane(life, scale) for life in shown),
        scale,
        heads=("worker", "lived"),
        facts=facts_of(timeline),
        legend=legend,
        notes=notes,
        label=f"Timeline of run {timeline.run_id}",
    )


def _lane(life: WorkerHistory, scale: Scale) -> Swimlane:
    begin = life.events[0].time_ns if life.events else scale.begin
    end = max((event.time_ns for event in life.events), default=begin)
    if any(not stretch.ended for stretch in life.stretches):
        end = scale.begin + scale.length
    return Swimlane(
        name=list(_name(life)),
        drawn=list(_drawn(life, scale)),
        took=lasting(max(0, end - begin)),
        facts=_facts(life, scale),
    )


def _name(life: WorkerHistory) -> Iterator[Piece]:
    yield life.name
    incarnations = len({stretch.worker for stretch in life.stretches})
    if incarnations > 1:
        yield tag("small", f"{incarnations:,} incarnations")
    failed = [event for event in life.events if event.name == "worker_failed"]
    if failed:
        yield tag("b", f"\N{MULTIPLICATION X} {failed[-1].fields.get('category', 'failed')}")
    if any(not stretch.ended for stretch in life.stretches):
        yield tag("small", "no end in the log")


def _drawn(life: WorkerHistory, scale: Scale) -> Iterator[Markup]:
    for stretch in life.stretches:
        title = f"{stretch.worker} {stretch.state} {lasting(stretch.length_ns)}"
        own = _COLOURS[stretch.state]
        yield bar(scale, stretch.begin_ns, stretch.length_ns, own, title)
    for event in life.marks:
        yield mark(scale, event.time_ns, said(event), bad=is_bad(event))


def _facts(life: WorkerHistory, scale: Scale) -> Iterator[tuple[str, Piece]]:
    several = len({event.worker for event in life.events}) > 1
    for event in life.events[:MOST_EVENTS]:
        what: Piece = tag("b", said(event)) if is_bad(event) else said(event)
        own = tag("small", event.worker) if several and event.worker is not None else ()
        long = [tag("pre", f"{name}:\n{text}") for name, text in texts(event)]
        yield lasting(max(0, event.time_ns - scale.begin)), [what, own, long]
    if len(life.events) > MOST_EVENTS:
        yield "...", f"and {len(life.events) - MOST_EVENTS:,} more events"

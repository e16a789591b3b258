"""The events of runs on every engine, beside the table of docs/events.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from contract_engines import Engine
from documented_events import documented_events
from engine_commands import Told
from engine_supervised import Seen

STORIES = ("refused", "drained")
IN_PROCESSES = ("crashed", "frozen", "forced")
"""Those of workers that are harmed, or not waited for: there are none in one process."""


def unlike_the_page(events: Iterable[dict[str, Any]]) -> Iterator[str]:
    """What events have that the page does not say of them."""
    for event in events:
        row = documented_events()[event["name"]]
        if new := row.lacks(event["fields"]):
            yield f"{event['name']} has {new}"
        if row.of == "run" and (event["group"] or event["worker"]):
            yield f"{event['name']} is of {event['group']} {event['worker']}"
        if row.of == "group" and (event["worker"] or not event["group"]):
            yield f"{event['name']} is of {event['group']} {event['worker']}"
        if row.of == "worker" and not event["worker"]:
            yield f"{event['name']} is of no worker"


def test_the_events_of_a_supervisor_are_as_the_page_says(
    engine: Engine, request: pytest.FixtureRequest
) -> None:
    for story in STORIES + (IN_PROCESSES if engine.in_processes else ()):
        seen: Seen = request.getfixturevalue(story)
        events = [
            {"name": e.name, "group": e.group, "worker": e.worker, "fields": e.fields}
            for e in seen.events
        ]
        assert events, story
        assert list(unlike_the_page(events)) == [], story


def test_the_events_of_a_command_are_as_the_page_says(done: Told, raised: Told) -> None:
    events = [{**event, "name": event["event"]} for told in (done, raised) for event in told.events]
    assert {"worker_failed", "spans_accounted"} <= {event["name"] for event in events}
    assert list(unlike_the_page(events)) == []


@pytest.mark.parametrize(
    ("fields", "unlike"),
    [
        ({"control.limit": 1, "data.timeout": 2}, []),
        ({"elsewhere.limit": 1}, ["refused has ['elsewhere.limit']"]),
        ({"category": 1}, ["refused has ['category']"]),
    ],
)
def test_an_event_of_refusals_counts_by_plane_and_category(
    fields: dict[str, int], unlike: list[str]
) -> None:
    event = {"name": "refused", "group": "", "worker": "", "fields": fields}
    assert list(unlike_the_page([event])) == unlike

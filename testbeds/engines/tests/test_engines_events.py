"""The events of runs on every engine, beside the table of docs/events.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from contract_engines import Engine
from documented_events import documented_events
from engine_commands import Told
from engine_configuration import PARTS
from engine_supervised import Seen

STORIES = ("refused", "drained")
IN_PROCESSES = ("crashed", "frozen", "forced")
"""Those of workers that are harmed, or not waited for: there are none in one process."""


#: Fields that no event of these stories has: nobody is stuck or silent with a known position, and
#: nobody writes before it fails.
UNTOLD = {("worker_failed", "position"), ("worker_failed", "stderr_tail")}
#: No batch is under way between workers.
UNTOLD_IN_ONE_WORKER = UNTOLD | {
    ("worker_failed", f"at_hand_{name}") for name in ("first", "oldest_last", "last", "batches")
}
#: There is no gate, no budget of a stop, and no process that fails, ends or is signalled.
UNTOLD_IN_MEMORY = UNTOLD_IN_ONE_WORKER | {
    ("supervisor_start_workload", "policy"),
    ("supervisor_graceful_stop", "budget_seconds"),
    ("worker_stopped", "ended"),
    ("worker_stopped", "rung"),
    *(
        ("worker_failed", name)
        for name in ("batches", "ended", "records_in", "records_out", "source_records", "vitals")
    ),
}


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


def test_every_field_that_the_page_promises_comes_with_some_event(
    engine: Engine, done: Told, raised: Told, request: pytest.FixtureRequest
) -> None:
    told: dict[str, set[str]] = {}
    for story in STORIES + (IN_PROCESSES if engine.in_processes else ()):
        seen: Seen = request.getfixturevalue(story)
        for each in seen.events:
            told.setdefault(each.name, set()).update(each.fields)
    for event in done.events + raised.events:
        told.setdefault(event["event"], set()).update(event["fields"])
    page = documented_events()
    promised = {(name, field) for name in told for field in page[name].fields}
    untold = {(name, field) for name, field in promised if field not in told[name]}
    alone = UNTOLD_IN_ONE_WORKER if engine.in_processes else UNTOLD_IN_MEMORY
    known = UNTOLD if len(engine.groups(PARTS)) > 1 else alone
    assert untold - {("refused", "plane.category")} <= known


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

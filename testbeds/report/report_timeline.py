"""The lifecycle of the smoke run, drawn from its events."""

from __future__ import annotations

from pathlib import Path

from sk_supervisor import SupervisorError, read_events, timeline_html

EVENTS = "smoke-events.jsonl"


def draw_timeline(reports: Path) -> tuple[str | None, str]:
    """The figure, as HTML of our own making, or None and one line on why there is none."""
    path = reports / EVENTS
    if not path.is_file():
        return None, "Not run yet: ./noxw -s smoke makes this part."
    try:
        return timeline_html(read_events(path)), ""
    except (SupervisorError, ValueError) as fault:
        return None, f"{EVENTS} tells no timeline: {fault}"

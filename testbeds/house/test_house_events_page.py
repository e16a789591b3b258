"""docs/events.md names every lifecycle event, and no other."""

from __future__ import annotations

from pathlib import Path

from documented_events import documented_events
from emitted_events import emitted, emitted_in
from sk_observability import EventName
from sk_supervisor.lifecycle import GroupEvent
from source_tree import expect_none, where

TABLES = {
    *(str(name) for name in EventName),
    *(str(name) for name in GroupEvent),
}
"""What is emitted as the tables of the lifecycle say, under no name of its own."""

PASSED_ON = {
    "_events/log.py": "drafts what it is given",
    "_lives/roster.py": "emits what the tables say",
    "_memory/life.py": "emits what the tables say",
    "_pages/timeline_events.py": "reads what was written",
    "_show/announcing.py": "hands it on",
    "_telemetry/rails.py": "emits the facts of _telemetry/conservation_text.py",
}
"""The files that make an event whose name is not to be seen there, and how it comes there."""


def test_the_page_has_every_event_that_is_emitted_and_no_other() -> None:
    found = {name for one in emitted() for name in one.names}
    assert found | TABLES == documented_events().keys()


def test_the_page_has_the_level_of_each() -> None:
    levels = {name: row.level for name, row in documented_events().items()}
    expect_none(
        f"{where(one.path, one.line)} {name}: {one.level}, but the page says {levels.get(name)}"
        for one in emitted()
        for name in one.names
        if levels.get(name) != one.level
    )


def test_no_event_has_a_name_that_is_not_to_be_seen() -> None:
    unseen = {one.path for one in emitted() if not one.names}
    assert {"/".join(path.parts[-2:]) for path in unseen} == PASSED_ON.keys()


def test_an_event_is_seen_in_any_form(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text(
        "NAME: Final = 'a'\n"
        "log.emit(NAME)\n"
        "self._log.emit('b', level='debug')\n"
        "self._log.emit(EventName.WORKER_READY)\n"
        "def tell(self):\n"
        "    name = 'c' if self.stuck else 'd'\n"
        "    self._log.emit(name)\n"
        "    self._log.emit(given)\n"
        "flow.emit('none')\n"
        "Fact('e', None, {})\n"
    )
    found = sorted((one.line, one.names, one.level) for one in emitted_in(sample))
    assert found == [
        (2, ("a",), "info"),
        (3, ("b",), "debug"),
        (4, ("worker_ready",), "info"),
        (7, ("c", "d"), "info"),
        (8, (), "info"),
        (10, ("e",), "info"),
    ]

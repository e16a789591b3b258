"""What nothing follows is done before the sink commits, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Ask = Callable[..., tuple[int, str, str]]

MODES = ("inline", "process_supervisor")
PLACEMENTS = (
    (["source:source"], ["audit"], ["sink:sink"]),
    (["source:source", "sink:sink"], ["audit"]),
    (["source:source", "audit"], ["sink:sink"]),
)


def beside(target: Path, mode: str, groups: tuple[list[str], ...], how: str = "") -> dict[str, Any]:
    """Five numbers into a file, and past a node; ``how`` says how that ends."""
    named = [{"name": f"g{number}", "nodes": nodes} for number, nodes in enumerate(groups)]
    return {
        "version": 1,
        "scenario": "beside",
        "runtime": {
            "discovery_modules": ["aside_app"],
            "platform": {
                "bootstrap": {"mode": mode},
                "execution_ipc": {"transport": "tcp_local", "control": {}},
                "process_groups": named,
            },
        },
        "adapters": {
            "source": {"name": "numbers"},
            "sink": {"name": "draft", "settings": {"path": str(target)}},
        },
        "nodes": {"audit": {"path": str(target), "how": how}},
    }


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("groups", PLACEMENTS)
def test_the_sink_commits_when_what_nothing_follows_has_ended(
    ask: Ask, target: Path, mode: str, groups: tuple[list[str], ...]
) -> None:
    code, _, err = ask("run", beside(target, mode, groups))
    assert (code, target.read_text()) == (0, "1\n2\n3\n4\n5\naudited 5\n"), err


@pytest.mark.parametrize("groups", PLACEMENTS)
def test_where_it_does_not_end_the_sink_does_not_commit(
    ask: Ask, target: Path, groups: tuple[list[str], ...]
) -> None:
    code, _, err = ask("run", beside(target, "process_supervisor", groups, how="die"))
    assert (code, target.read_text()) == (4, "old\n")
    assert "signal SIGKILL" in err

"""What goes wrong at the end of a sink: what it commits is committed, and the last words say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Ask = Callable[..., tuple[int, str, str]]

INLINE, PROCESSES = "inline", "process_supervisor"
BOTH = pytest.mark.parametrize("mode", [INLINE, PROCESSES])
APART = (["source:source"], ["sink:sink"])
TOGETHER = (["source:source", "sink:sink"],)


def ends(
    mode: str,
    target: Path,
    how: str = "",
    *,
    source: str = "",
    groups: tuple[list[str], ...] = APART,
) -> dict[str, Any]:
    """Five numbers into a file; ``how`` names what goes wrong in the sink."""
    return {
        "version": 1,
        "scenario": "ends",
        "runtime": {
            "discovery_modules": ["sink_ends_app"],
            "platform": {
                "bootstrap": {"mode": mode},
                "execution_ipc": {"transport": "tcp_local", "control": {}},
                "process_groups": [
                    {"name": f"g{number}", "nodes": nodes} for number, nodes in enumerate(groups)
                ],
            },
        },
        "adapters": {
            "source": {"name": "numbers", "settings": {"how": source}},
            "sink": {"name": "draft", "settings": {"path": str(target), "how": how}},
        },
    }


def is_complete(target: Path) -> bool:
    """Whether the output is in place, and nothing else."""
    return target.read_text().split() == list("12345") and not partial(target).exists()


def partial(target: Path) -> Path:
    """Where the sink writes until its commit."""
    return target.with_suffix(".partial")


@BOTH
def test_counters_that_cannot_be_told_are_left_out_and_said_to_be(
    ask: Ask, target: Path, mode: str
) -> None:
    code, _, err = ask("run", ends(mode, target, "long"))
    assert (code, is_complete(target)) == (0, True)
    assert "warning: sink:sink: 1 of 2 counters of its summary are left out" in err
    assert "  kept 2" in err.splitlines()


@BOTH
def test_of_too_many_counters_the_first_are_told(ask: Ask, target: Path, mode: str) -> None:
    code, _, err = ask("run", ends(mode, target, "many"))
    assert (code, is_complete(target)) == (0, True)
    assert "299,000 of 300,000 counters of its summary are left out" in err
    assert "customer 999 1" in err
    assert "customer 1000 1" not in err


@BOTH
def test_an_interrupt_that_a_summary_raises_is_no_failure_of_the_run(
    ask: Ask, target: Path, mode: str
) -> None:
    code, _, err = ask("run", ends(mode, target, "interrupt"))
    assert (code, is_complete(target)) == (0, True)
    assert "warning: sink:sink failed to give its summary: KeyboardInterrupt" in err


@pytest.mark.parametrize("groups", [APART, TOGETHER])
def test_a_worker_that_dies_behind_its_commit_leaves_a_completed_run(
    ask: Ask, target: Path, groups: tuple[list[str], ...]
) -> None:
    code, _, err = ask("run", ends(PROCESSES, target, "die", groups=groups))
    assert (code, is_complete(target)) == (0, True)
    assert "warning: no summary from the sink: " in err
    assert "records in 5, out 5," in err
    assert "partial output" not in err


def test_a_worker_that_dies_within_its_commit_leaves_doubt_which_is_said(
    ask: Ask, target: Path
) -> None:
    code, _, err = ask("run", ends(PROCESSES, target, "die in commit"))
    assert (code, is_complete(target)) == (4, True)
    unless = "(or already committed: the sink's worker died before it could report)"
    assert f"  partial output: {partial(target)} {unless}" in err.splitlines()


@BOTH
def test_where_partial_output_is_at_the_end_is_asked_behind_the_abort(
    ask: Ask, target: Path, mode: str
) -> None:
    code, _, err = ask("run", ends(mode, target, "unlink", source="close"))
    assert (code, partial(target).exists()) == (4, False)
    assert "partial output" not in err


@BOTH
def test_a_sink_that_names_no_text_as_its_partial_output_does_not_start(
    ask: Ask, target: Path, mode: str
) -> None:
    code, _, err = ask("run", ends(mode, target, "path"))
    assert code == 3
    assert "partial_outputs() gives texts of 1 to 4096 characters" in err

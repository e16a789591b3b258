"""What a user's own hooks do to the commands: one that fails has an error, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sk_kernel.runtime import TraceIds

Ask = Callable[..., tuple[int, str, str]]


def hooks(sink: str = "", node: str = "") -> dict[str, Any]:
    """Five numbers; ``sink`` and ``node`` name what fails in them."""
    return {
        "version": 1,
        "scenario": "hooks",
        "runtime": {
            "discovery_modules": ["hooks_app"],
            "platform": {"bootstrap": {"mode": "inline"}},
        },
        "nodes": {"double": {"on": node}},
        "adapters": {
            "source": {"name": "numbers"},
            "sink": {"name": "nowhere", "settings": {"on": sink}},
        },
    }


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_check_that_fails_itself_is_a_fault_of_the_configuration(ask: Ask, command: str) -> None:
    code, _, err = ask(command, hooks(sink="check"))
    assert code == 2
    assert "adapters.sink: adapter: sink:sink failed to check its settings" in err
    assert "Traceback" not in err


def test_a_sink_that_cannot_name_its_partial_output_does_not_hide_why_a_run_failed(
    ask: Ask,
) -> None:
    code, _, err = ask("run", hooks(sink="partial_outputs", node="3"))
    assert code == 4
    assert "node 'double' raised ValueError on record 3" in err
    assert "partial output: unknown: sink:sink failed to name its partial output" in err


def test_replay_shows_each_call_of_a_node_that_a_run_gives_whole_batches(ask: Ask) -> None:
    trace = TraceIds("r1").of(4)
    code, out, err = ask("replay", hooks(), "--trace", trace, "--run-id", "r1")
    assert (code, err) == (0, "")
    shown = out.splitlines()
    at = shown.index("double")
    assert shown[at + 1 : at + 3] == ["  in     Number(n=4)", "  out    Doubled(n=8)"]

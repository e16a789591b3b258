"""What is closed behind the work and does not return: a warning, in its time, and no failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import unclosed_app
from sk_config import build_config
from sk_supervisor import ServiceFailedError, serve
from supervisor_harness import Command

Ask = Callable[..., tuple[int, str, str]]
Sk = Callable[..., Command]


def closing(mode: str, target: Path) -> dict[str, Any]:
    """One number into a file, and a second for whatever is behind it."""
    return {
        "version": 1,
        "scenario": "closing",
        "runtime": {
            "discovery_modules": ["closing_app"],
            "platform": {
                "bootstrap": {"mode": mode},
                "execution_ipc": {"transport": "tcp_local", "control": {}},
                "process_groups": [
                    {
                        "name": "all",
                        "nodes": ["source:source", "passed", "sink:sink"],
                        "stop_timeout_seconds": 1,
                    }
                ],
            },
        },
        "adapters": {
            "source": {"name": "numbers"},
            "sink": {"name": "draft", "settings": {"path": str(target)}},
        },
    }


def test_in_memory_each_is_broken_off_and_the_next_one_closed(sk: Sk, target: Path) -> None:
    code, _, err = sk("run", closing("inline", target)).finish()
    assert (code, target.read_text()) == (0, "1 rows\n"), err
    said = ": its close() did not return in time, and was broken off ("
    owners = [line.partition(said)[0] for line in err.splitlines() if said in line]
    assert owners[:1] == ["sink:sink"]
    services = ("patient", "persistent", "awaiting")
    assert sorted(owners[1:]) == sorted(f"service {name}" for name in services)


def test_over_processes_the_worker_is_ended_and_the_run_is_complete(ask: Ask, target: Path) -> None:
    code, _, err = ask("run", closing("process_supervisor", target))
    assert (code, target.read_text()) == (0, "1 rows\n"), err
    assert "warning: the work is done, but workers had to be ended by force (" in err
    assert err.rstrip().endswith("): all-0.1")


def unclosed() -> dict[str, Any]:
    """A node that cannot be created after its service, which does not close in time."""
    platform = {"process_groups": [{"name": "all", "nodes": ["passed"], "stop_timeout_seconds": 1}]}
    return {
        "version": 1,
        "scenario": "unclosed",
        "runtime": {"discovery_modules": ["unclosed_app"], "platform": platform},
        "adapters": {"source": {"name": "numbers"}, "sink": {"name": "draft"}},
    }


def test_in_memory_a_close_after_a_failed_start_is_broken_off_and_the_failure_reported(
    sk: Sk,
) -> None:
    code, _, err = sk("run", unclosed()).finish()
    assert code == 3
    assert "service patient: its close() did not return in time, and was broken off (" in err
    assert "passed: its __init__ raised ValueError: no such table" in err


def test_a_failed_start_is_raised_by_serve_although_a_service_is_still_being_closed() -> None:
    try:
        with (
            pytest.raises(ServiceFailedError, match=r"no such table.* is still being closed") as it,
            serve(build_config(unclosed())),
        ):
            pass
        assert it.value.code == 3
        assert not unclosed_app.CLOSED.is_set()
    finally:
        unclosed_app.RELEASED.set()
    assert unclosed_app.CLOSED.wait(30)

"""Requests that wait in coroutines when their run ends: given up in time, and before the services.

What they use is open until they have ended, and the stream beside them ends as it does without.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asked_branching import Branch
from asked_dying import Die
from asked_ending import Wait
from asked_keeping import Keep
from asking import Gate, Told, asked
from sk_kernel import Envelope, ReplyWaiter
from sk_kernel.runtime import Container
from sk_supervisor import Service, ServiceFailedError, serve
from sk_supervisor._worker.segments import Segments

PATIENCE = 60.0
#: Of the whole stop: 4 s of it are the drain's, and 2 s of these are for requests.
STOP = {"stop_timeout_seconds": 8}
ASYNC = {"runner_profile": "async"}
TOGETHER = ({"name": "one", "nodes": ["source:source", "waiting", "sink:sink"], **ASYNC, **STOP},)
APART = (
    {"name": "in", "nodes": ["source:source"], **STOP},
    {"name": "mid", "nodes": ["waiting"], **ASYNC, **STOP},
    {"name": "out", "nodes": ["sink:sink"], **STOP},
)
INLINE = {
    "bootstrap": {"mode": "inline"},
    "execution_ipc": {"transport": "memory"},
    "process_groups": [{"name": "one", "nodes": ["waiting"], **STOP}],
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def lines(log: Path) -> list[str]:
    return log.read_text("utf-8").splitlines()


def beside_a_stream(groups: Any, log: Path) -> Any:
    """The node that waits, and a stream that gives nothing, whose sink has a log."""
    adapters = {
        "source": {"name": "silent"},
        "sink": {"name": "noted", "settings": {"log": str(log)}},
    }
    modules = ["asked_ending", "asked_waiting"]
    return asked(groups, adapters=adapters, modules=modules, platform=None if groups else INLINE)


def waiting(service: Service, gate: Gate, ask: Wait) -> ReplyWaiter:
    """One that is known to be with its node, and has more time than its run."""
    waiter = service.request(Envelope(ask), timeout_seconds=PATIENCE)
    gate.open()
    return waiter


def leave(waiter: ReplyWaiter) -> None:
    waiter.cancel()


@pytest.mark.parametrize("groups", [None, TOGETHER, APART], ids=["memory", "together", "apart"])
@pytest.mark.parametrize(
    ("caller", "outcome"), [(lambda _: None, "timeout"), (leave, "cancelled")], ids=["", "gone"]
)
def test_a_stream_ends_well_though_a_request_beside_it_outlasts_the_drain(
    groups: Any, caller: Callable[[ReplyWaiter], None], outcome: str, log: Path, gate: Gate
) -> None:
    """Also where its caller has gone: its coroutine goes on until it is given up."""
    with serve(beside_a_stream(groups, log)) as service:
        waiter = waiting(service, gate, Wait(str(log), gate.path))
        caller(waiter)
    assert waiter.wait(0).status == outcome
    told = lines(log)
    assert told[:2] == ["called, open", "left, open"]
    assert sorted(told[2:]) == ["closed", "committed"]  # be it in different processes


def test_a_drain_waits_for_what_goes_on_behind_the_answer(
    log: Path, gate: Gate, told: Told
) -> None:
    groups = (
        {"name": "one", "nodes": ["answering"]},
        {"name": "two", "nodes": ["auditing"], **ASYNC},
    )

    def open_in_the_drain() -> None:
        told.wait_for("drain_begun")
        gate.open()

    with serve(asked(groups, modules=["asked_branching"], runtime=told.runtime)) as service:
        assert service.request(Envelope(Branch(str(log), gate.path))).wait().status == "success"
        gate.reached()
        later = threading.Thread(target=open_in_the_drain)
        later.start()
    later.join(PATIENCE)
    assert lines(log) == ["audited"]


@pytest.mark.parametrize(("kind", "attempts"), [(Wait, 3), (Keep, 1)], ids=["apart", "together"])
def test_a_stop_by_force_ends_coroutines_before_what_they_use_is_closed(
    kind: type[Wait], attempts: int, log: Path, gate: Gate
) -> None:
    """It is heard while they wait, and none is called once more."""
    name = "waiting" if kind is Wait else "keeping"
    groups = ({"name": "one", "nodes": [name], **ASYNC}, {"name": "two", "nodes": ["dying"]})
    policy = {name: {"policy": "skip", "attempts": attempts}}
    modules = ["asked_ending", f"asked_{name}", "asked_dying"]
    config = asked(groups, modules=modules, runtime={"failure": {"nodes": policy}})

    def crash() -> None:
        with serve(config) as service:
            waiting(service, gate, kind(str(log), gate.path))
            service.request(Envelope(Die())).wait()

    with pytest.raises(ServiceFailedError, match=r"two-0\.1"):
        crash()
    assert lines(log) == ["called, open", "left, open", "closed"]


def test_a_coroutine_that_does_not_heed_its_end_holds_up_no_close() -> None:
    loop, ended = asyncio.Runner(), threading.Event()

    async def deaf() -> None:
        over = asyncio.Event()
        loop.get_loop().call_later(PATIENCE, over.set)
        while not over.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await over.wait()
        ended.set()

    async def begun() -> asyncio.Task[None]:
        task = asyncio.ensure_future(deaf())
        await asyncio.sleep(0)
        return task

    task = loop.run(begun())
    Segments({}, None, loop, Container()).close()
    assert not ended.is_set()
    assert not task.done()
    assert loop.get_loop().is_closed()
    task._log_destroy_pending = False  # type: ignore[attr-defined]

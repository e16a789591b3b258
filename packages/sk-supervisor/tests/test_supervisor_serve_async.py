"""Serving requests from an event loop, which goes on while a run starts and drains."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from asked_app import Ask
from asked_streams import Awaited
from asking import Gate, asked
from sk_config import Config
from sk_kernel import Envelope, ReplyWaiter
from sk_supervisor import LocalBootstrapSupervisor, ServiceFailedError, serve
from sk_supervisor.cli import _warn_of_requests

PATIENCE = 30.0


def streamed(source: str, gate: Gate) -> Config:
    settings = {"name": source, "settings": {"gate": gate.path}}
    adapters = {"source": settings, "sink": {"name": "replies"}}
    return asked(None, modules=("asked_app", "asked_streams"), adapters=adapters)


def test_the_loop_goes_on_while_a_run_starts_and_while_it_drains(tmp_path: Path) -> None:
    opening, answering = Gate(tmp_path, "opening"), Gate(tmp_path, "answering")

    async def main() -> str:
        loop = asyncio.get_running_loop()
        loop.call_soon(opening.open)  # without which the source does not open
        async with serve(streamed("held", opening)) as service:
            waiter = service.request(Envelope(Awaited(1, answering.path)))
            loop.call_soon(answering.open)  # without which it is not answered in time
        return (await waiter).status

    assert asyncio.run(main()) == "success"


def test_a_start_that_is_cancelled_ends_the_run_before_it_is_left(tmp_path: Path) -> None:
    gate = Gate(tmp_path)

    async def main() -> bool:
        serving = serve(streamed("held", gate))
        starting = asyncio.ensure_future(serving.__aenter__())
        await asyncio.to_thread(gate.reached)
        starting.cancel()
        await asyncio.sleep(0)
        gate.open()
        with pytest.raises(asyncio.CancelledError):
            await starting
        return serving._run.wait(0)

    assert asyncio.run(main())


def test_a_failure_of_the_run_is_raised_at_the_end_of_the_block_or_noted(tmp_path: Path) -> None:
    async def main(gate: Gate, *, raising: bool) -> None:
        async with serve(streamed("breaks", gate)) as service:
            await asyncio.to_thread(gate.open)
            assert await asyncio.to_thread(service.wait, PATIENCE)
            if raising:
                raise KeyError("mine")

    with pytest.raises(ServiceFailedError, match="the input is gone"):
        asyncio.run(main(Gate(tmp_path, "a"), raising=False))
    with pytest.raises(KeyError, match="mine") as caught:
        asyncio.run(main(Gate(tmp_path, "b"), raising=True))
    assert "the input is gone" in caught.value.__notes__[0]


def test_a_failure_of_the_run_is_noted_on_a_cancellation_that_comes_meanwhile(
    tmp_path: Path,
) -> None:
    gate = Gate(tmp_path)

    async def served() -> None:
        async with serve(streamed("breaks", gate)) as service:
            await asyncio.to_thread(gate.open)
            assert await asyncio.to_thread(service.wait, PATIENCE)
            task = asyncio.current_task()
            assert task is not None
            task.cancel()  # heard as the block is left

    with pytest.raises(asyncio.CancelledError) as caught:
        asyncio.run(served())
    assert "the input is gone" in caught.value.__notes__[0]


def test_what_a_run_raises_unexpectedly_is_the_cause_of_what_its_caller_gets() -> None:
    no_name: Any = 123
    with pytest.raises(ServiceFailedError, match="TypeError: ") as caught:
        serve(asked(None), run_id=no_name).__enter__()
    assert isinstance(caught.value.__cause__, TypeError)


def test_a_supervisor_that_cannot_be_shut_down_again_is_a_failure_that_ends_the_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutdown = LocalBootstrapSupervisor.shutdown

    def once(supervisor: LocalBootstrapSupervisor) -> str:
        if supervisor.snapshot().state == "stopped":
            raise RuntimeError("it is gone")
        return shutdown(supervisor)

    monkeypatch.setattr(LocalBootstrapSupervisor, "shutdown", once)
    with (
        pytest.raises(ServiceFailedError, match="RuntimeError: it is gone"),
        serve(asked(None)) as it,
    ):
        pass
    assert it.wait(PATIENCE)


def test_requests_of_many_tasks_are_answered_on_their_loop() -> None:
    async def main() -> set[str]:
        async with serve(asked(None)) as service:
            outcomes = await asyncio.gather(
                *(_ask(service.request(Envelope(Ask(n)))) for n in range(20))
            )
        return set(outcomes)

    async def _ask(waiter: ReplyWaiter) -> str:
        return (await waiter).status

    assert asyncio.run(main()) == {"success"}


def test_a_command_warns_that_nobody_can_ask_its_run(capsys: pytest.CaptureFixture[str]) -> None:
    _warn_of_requests(asked(None))
    asks = "only the program that starts a run can make them, with sk_supervisor.serve()"
    assert capsys.readouterr().err == f"warning: the source is `requests`: {asks}\n"

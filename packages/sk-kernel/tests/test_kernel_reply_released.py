"""Requests that are over for their callers, and not for the nodes: whoever waits for both hears."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel import ReplyWaiter, TerminalEvent
from sk_kernel.runtime import ReplyEvent, ReplyWaiterService

DEEDS = ("complete", "cancel", "expire", "hold", "release")


class World:
    """A service whose events are kept."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.service = ReplyWaiterService(on_event=self._hear)

    def _hear(self, event: ReplyEvent) -> None:
        self.told.append(event.name)

    def unsettled(self) -> int:
        counters = self.service.counters()
        return counters.in_flight + counters.unfinished

    def do(self, deed: str, waiter: ReplyWaiter) -> None:
        service = self.service
        match deed:
            case "complete":
                service.settle(waiter, TerminalEvent(waiter.trace_id, "success"))
            case "cancel":
                waiter.cancel()
            case "expire":
                service.time_out(waiter)
            case "hold":
                service.hold(waiter)
            case "release":
                service.release(waiter)


@pytest.mark.parametrize("ending", ["complete", "cancel", "expire"])
def test_of_one_that_has_ended_it_is_told_when_the_nodes_have_done_with_it(ending: str) -> None:
    world = World()
    waiter = world.service.register("t")
    for deed in ("hold", ending, "release", "release"):
        world.do(deed, waiter)
    assert world.told[2:] == ["released"]


def test_of_one_that_the_nodes_have_done_with_before_it_has_ended_its_end_is_told_alone() -> None:
    world = World()
    waiter = world.service.register("t")
    for deed in ("hold", "release", "complete"):
        world.do(deed, waiter)
    assert world.told == ["registered", "completed"]


@given(st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 2)), max_size=40))
def test_whatever_settles_the_last_one_is_told_of(deeds: list[tuple[str, int]]) -> None:
    world = World()
    waiters = [world.service.register(f"t{number}") for number in range(3)]
    for deed, number in deeds:
        before, told = world.unsettled(), len(world.told)
        world.do(deed, waiters[number])
        if world.unsettled() < before:
            assert world.told[told:] in (["completed"], ["cancelled"], ["expired"], ["released"])

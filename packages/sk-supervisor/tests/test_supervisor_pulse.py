"""The pulse of a worker: it ends with the session, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable

from sk_control import ControlLostError, ControlMessage, Heartbeat
from sk_control import Progress as ProgressMessage
from sk_kernel import Progress
from sk_supervisor._worker.pulse import Pulse


def nothing() -> Progress:
    return Progress(group="a")


def beaten(
    send: Callable[[ControlMessage], None],
    beats: int,
    progress: Callable[[], Progress] = nothing,
    position: Callable[[], str] = str,
) -> list[Exception]:
    """What keeps a pulse from reporting, in so many seconds of a heartbeat and a report each."""
    broke: list[Exception] = []
    ticks = iter(range(1, beats + 2))
    now = [0.0]

    def wait(_: float) -> bool:
        now[0] = next(ticks)
        return now[0] > beats

    pulse = Pulse(
        send,
        progress=progress,
        waiting=lambda: 0,
        heartbeat_seconds=1.0,
        clock=lambda: now[0],
        wait=wait,
        position=position,
        broke=broke.append,
    )
    pulse._beat()
    return broke


def test_a_report_that_cannot_be_made_is_told_once_and_the_worker_beats_on() -> None:
    sent: list[ControlMessage] = []
    fault = LookupError("nowhere")

    def progress() -> Progress:
        raise fault

    assert beaten(sent.append, 3, progress=progress) == [fault]
    assert sent == [Heartbeat()] * 3


def test_a_position_that_cannot_be_told_ends_no_work() -> None:
    sent: list[ControlMessage] = []

    def position() -> str:
        raise RuntimeError("the tasks changed while they were looked at")

    assert beaten(sent.append, 1, position=position) == []
    assert sent == [Heartbeat(), ProgressMessage(state="starting")]


def test_a_pulse_ends_with_its_session() -> None:
    asked: list[ControlMessage] = []

    def lost(message: ControlMessage) -> None:
        asked.append(message)
        raise ControlLostError("a-0.1")

    assert beaten(lost, 3) == []
    assert asked == [Heartbeat()]

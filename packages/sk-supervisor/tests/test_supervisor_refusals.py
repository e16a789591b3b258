"""Refusals are counted one by one, and told of at a bounded rate."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_observability import LifecycleLog
from sk_supervisor._hub.refusals import EVENT_SECONDS, Refusals
from supervisor_harness import PATIENCE, Supervised, supervised

#: The one method of `proto/`.
CONTROL_METHOD = "/sk.control.v1.ControlPlane/Session"
CATEGORIES = st.sampled_from(["signature", "replay", "oversize"])


def told(log: LifecycleLog) -> list[dict[str, int]]:
    return [event.fields for event in log.events() if event.name == "refused"]


def test_only_the_first_refusal_since_the_last_event_wakes_the_loop() -> None:
    refusals = Refusals(LifecycleLog("r1"))
    assert refusals.due() is None
    assert [refusals.add("data", "replay") for _ in range(3)] == [True, False, False]
    refusals.ring(10.0)
    assert refusals.due() is None
    assert refusals.add("data", "replay") is True


def test_an_event_is_due_at_once_and_the_next_one_a_second_later() -> None:
    refusals = Refusals(LifecycleLog("r1"))
    refusals.add("control", "version")
    due = refusals.due()
    assert due is not None
    assert due < 0
    refusals.ring(10.0)
    refusals.add("control", "version")
    assert refusals.due() == 10.0 + EVENT_SECONDS


@given(st.lists(st.one_of(st.tuples(st.sampled_from(["data", "control"]), CATEGORIES), st.none())))
def test_the_events_add_up_to_the_totals(history: list[tuple[str, str] | None]) -> None:
    log = LifecycleLog("r1")
    refusals = Refusals(log)
    for now, step in enumerate([*history, None]):
        if step is not None:
            refusals.add(*step)
        elif refusals.due() is not None:
            refusals.ring(float(now))
    summed: Counter[str] = Counter()
    for fields in told(log):
        assert all(fields.values())
        summed.update(fields)
    assert summed == refusals.totals()
    assert summed == Counter(f"{plane}.{category}" for plane, category in filter(None, history))


def test_nothing_is_lost_when_many_threads_refuse_at_once() -> None:
    refusals = Refusals(LifecycleLog("r1"))
    threads = [
        threading.Thread(target=lambda: [refusals.add("data", "replay") for _ in range(500)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refusals.totals() == {"data.replay": 4000}


def limited(target: Path, **admission: int) -> AbstractContextManager[Supervised]:
    """A supervisor that gives strangers less than usual, on both planes."""
    return supervised(target, ipc={"admission": admission, "control": {"admission": admission}})


def listening(run: Supervised) -> dict[str, tuple[str, int]]:
    """Where it listens, by plane."""
    [event] = run.events("supervisor_listening")
    return {
        plane: (host, int(port))
        for plane, (host, _, port) in ((k, v.rpartition(":")) for k, v in event.fields.items())
    }


def test_a_silent_stranger_is_hung_up_on_after_the_configured_time_and_told_of(
    tmp_path: Path,
) -> None:
    """Nobody else dials meanwhile: an honest worker, too, may be later than that."""
    with limited(tmp_path / "out", handshake_timeout_seconds=1) as run:
        run.supervisor.start_groups([])
        with socket.create_connection(listening(run)["data"], PATIENCE) as stranger:
            assert stranger.recv(1) == b""
        assert run.supervisor.snapshot().refusals == {"data.timeout": 1}
        run.supervisor.shutdown()
        assert [event.fields for event in run.events("refused")] == [{"data.timeout": 1}]


def test_a_stranger_that_sends_more_than_is_configured_is_refused(tmp_path: Path) -> None:
    with limited(tmp_path / "out", max_unauthenticated_bytes=1024) as run:
        run.start()
        places = listening(run)
        with socket.create_connection(places["data"], PATIENCE) as stranger:
            stranger.sendall(b"\0\0\x20\0SK" + bytes(2000))
            with contextlib.suppress(ConnectionResetError):
                assert stranger.recv(1) == b""
        with grpc.insecure_channel("{}:{}".format(*places["control"])) as channel:
            call = channel.stream_stream(CONTROL_METHOD)(iter([bytes(2000)]), timeout=PATIENCE)
            with pytest.raises(grpc.RpcError):
                next(call)
        assert run.supervisor.wait_ready(PATIENCE)
        planes = {name.partition(".")[0] for name in run.supervisor.snapshot().refusals}
        assert planes == {"data", "control"}

"""Probes over grpc.health.v1, by its own client, and by those who mean harm."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2 as pb
from grpc_health.v1.health_pb2_grpc import HealthStub
from sk_supervisor._health.grpc import HealthServicer
from supervisor_probing import PATIENCE, Scene, dialled, listening

SERVING, NOT_SERVING = pb.HealthCheckResponse.SERVING, pb.HealthCheckResponse.NOT_SERVING
UNKNOWN = pb.HealthCheckResponse.SERVICE_UNKNOWN
SERVICES = ("startupz", "livez", "readyz", "")
#: To this machine, and each channel by a connection of its own.
DIRECT = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def address(scene: Scene) -> Iterator[str]:
    with listening(scene, "grpc") as addresses:
        yield addresses["grpc"]


@contextlib.contextmanager
def client(address: str) -> Iterator[Any]:
    with grpc.insecure_channel(address, DIRECT) as channel:
        yield HealthStub(channel)


def check(address: str, service: str) -> Any:
    with client(address) as stub:
        return stub.Check(pb.HealthCheckRequest(service=service), timeout=PATIENCE).status


class Watched:
    """What a watcher is told, one after the other."""

    def __init__(self, stub: Any, service: str) -> None:
        self.call = stub.Watch(pb.HealthCheckRequest(service=service), timeout=PATIENCE)
        self._told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for response in self.call:
                self._told.put(response.status)
        except grpc.RpcError as error:
            self._told.put(error.code())

    def next(self) -> Any:
        return self._told.get(timeout=PATIENCE)

    def end(self) -> None:
        self.call.cancel()
        self._thread.join(PATIENCE)


@pytest.mark.contract("P5PRE-READY-03")
@pytest.mark.parametrize("service", SERVICES)
def test_a_check_of_a_run_that_is_well_says_serving(address: str, service: str) -> None:
    assert check(address, service) == SERVING


@pytest.mark.contract("P5PRE-READY-03")
def test_a_run_that_was_asked_to_stop_serves_no_more(scene: Scene, address: str) -> None:
    scene.stop()
    states = [check(address, service) for service in SERVICES]
    assert states == [SERVING, SERVING, NOT_SERVING, NOT_SERVING]


def test_a_service_that_is_none_of_ours_is_not_found(address: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        check(address, "stranger")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.contract("P5PRE-READY-03")
def test_a_watcher_hears_at_once_how_it_is_and_then_of_each_change(
    scene: Scene, address: str
) -> None:
    with client(address) as stub:
        watched = Watched(stub, "readyz")
        try:
            assert watched.next() == SERVING
            scene.stop()
            assert watched.next() == NOT_SERVING
        finally:
            watched.end()


def test_a_watcher_of_a_service_that_is_none_of_ours_is_told_so(address: str) -> None:
    with client(address) as stub:
        watched = Watched(stub, "stranger")
        try:
            assert watched.next() == UNKNOWN
        finally:
            watched.end()


def watched_once(stub: Any) -> Any:
    """What a watcher is told first."""
    watched = Watched(stub, "readyz")
    try:
        return watched.next()
    finally:
        watched.end()


def test_watchers_beyond_the_limit_are_refused_and_checks_are_not(address: str) -> None:
    with contextlib.ExitStack() as stack:
        watchers = []
        for _ in range(8):  # channels, with a few streams each
            stub = stack.enter_context(client(address))
            watchers += [Watched(stub, "readyz") for _ in range(9)]
        told = [watched.next() for watched in watchers]
        assert (told.count(SERVING), told.count(grpc.StatusCode.RESOURCE_EXHAUSTED)) == (64, 8)
        assert check(address, "readyz") == SERVING
        for watched in watchers:
            watched.end()
        # Who has left has made room, as soon as the server has heard that it left.
        until = time.monotonic() + PATIENCE
        stub = stack.enter_context(client(address))
        while (first := watched_once(stub)) != SERVING:
            assert first is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert time.monotonic() < until


def test_the_end_of_the_run_ends_a_watch(scene: Scene) -> None:
    with contextlib.ExitStack() as stack:
        with listening(scene, "grpc") as addresses:
            watched = Watched(stack.enter_context(client(addresses["grpc"])), "livez")
            assert watched.next() == SERVING
        assert isinstance(watched.next(), grpc.StatusCode)
        watched.end()


#: The call of a check, whose request may not come.
CHECK = (
    "/grpc.health.v1.Health/Check",
    pb.HealthCheckRequest.SerializeToString,
    pb.HealthCheckResponse.FromString,
)


# ---- who means harm ----------------------------------------------------------------------------


def test_who_says_nothing_or_garbage_keeps_nobody_out(address: str) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(100):
            link = stack.enter_context(dialled(address))
            if number % 2:
                with contextlib.suppress(ConnectionError):
                    link.sendall(b"GET /readyz HTTP/1.1\r\n\r\n" if number % 3 else bytes(100))
        assert check(address, "readyz") == SERVING


def test_a_message_over_its_limit_is_refused(address: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        check(address, "x" * 10_000)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_call_whose_request_does_not_come_is_ended_when_the_time_is_over() -> None:
    async def story() -> grpc.StatusCode:
        server = HealthServicer(Scene().checks(), patience=0.3).server()
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", DIRECT) as channel:
                return await channel.stream_unary(*CHECK)(timeout=PATIENCE).code()
        finally:
            await server.stop(None)

    assert asyncio.run(story()) is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_call_without_a_request_is_refused(address: str) -> None:
    with grpc.insecure_channel(address, DIRECT) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.stream_unary(*CHECK)(iter(()), timeout=PATIENCE)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT

"""Probes over HTTP, by real clients, and by those who mean harm."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from asking import FOUR, asked
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st
from sk_config import HealthConfig, HealthListenerConfig
from sk_supervisor import HealthBindError, serve
from sk_supervisor._health import server
from sk_supervisor._health.http import HttpLimits, HttpResponder, health_routes
from sk_supervisor._health.server import health_server
from supervisor_probing import (
    PATIENCE,
    Scene,
    dialled,
    endpoint,
    health_threads,
    listening,
    probe,
    rest_of,
)

PATHS = ("/startupz", "/livez", "/readyz")
TRICKLE_SECONDS = 0.5
PIECES = st.sampled_from([b"GET ", b"/readyz", b" HTTP/1.1", b"\r\n", b"host: x", b"\r\n\r\n"])


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def address(scene: Scene) -> Iterator[str]:
    with listening(scene, "http") as addresses:
        yield addresses["http"]


@contextlib.asynccontextmanager
async def served(limits: HttpLimits) -> AsyncIterator[tuple[str, int]]:
    """A listener of the event loop of a test, with limits of its own."""
    responder = HttpResponder(health_routes(Scene().checks()), limits)
    server = await asyncio.start_server(responder.serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        responder.hang_up()
        await server.wait_closed()


# ---- answers -----------------------------------------------------------------------------------


@pytest.mark.contract("P5PRE-READY-03")
@pytest.mark.parametrize("path", PATHS)
def test_a_probe_of_a_run_that_is_well_is_answered_with_200(address: str, path: str) -> None:
    answer = probe(address, path)
    assert (answer.status, answer.body) == (200, {"check": path[1:], "status": "ok"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.contract("P5PRE-READY-03")
def test_a_run_that_was_asked_to_stop_is_alive_and_not_ready(scene: Scene, address: str) -> None:
    scene.stop()
    answer = probe(address, "/readyz")
    assert answer.status == 503
    assert answer.body == {
        "check": "readyz",
        "status": "unavailable",
        "reason": "asked to stop",
        "missing": [],
    }
    assert [probe(address, path).status for path in PATHS] == [200, 200, 503]


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_the_body(scene: Scene, address: str, path: str) -> None:
    scene.stop()
    full, bare = probe(address, path), probe(address, path, "HEAD")
    assert (bare.status, bare.raw) == (full.status, b"")
    assert bare.headers["content-length"] == full.headers["content-length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "BREW"])
def test_another_method_is_not_allowed(address: str, method: str) -> None:
    answer = probe(address, "/readyz", method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_body_is_read_and_of_no_account(address: str, size: int) -> None:
    assert probe(address, "/readyz", "POST", b"x" * size).status == 405
    assert probe(address, "/readyz", "GET", b"x" * size).status == 200


@pytest.mark.parametrize("path", ["/", "/readyz/", "/READYZ", "/metrics", "//readyz", "/%00"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_another_path_is_not_found(address: str, path: str, method: str) -> None:
    assert probe(address, path, method).status == 404


def test_a_query_behind_the_path_is_of_no_account(address: str) -> None:
    assert probe(address, "/readyz?verbose=1").status == 200


def test_a_client_of_http_1_0_without_a_host_is_answered(address: str) -> None:
    with dialled(address) as link:
        link.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        assert rest_of(link).startswith(b"HTTP/1.1 200 ")


# ---- who means harm ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /readyz\r\n\r\n",
        b"GET /readyz HTTP/1.1\r\n\r\n",  # without a host
        b"\r\n" * 50,
        bytes(1000),
        b"HEAD /readyz HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzzzz\r\n",
    ],
)
def test_garbage_is_answered_or_cut_off_and_the_next_probe_is_well(
    address: str, garbage: bytes
) -> None:
    with dialled(address) as link:
        link.sendall(garbage)
        link.shutdown(socket.SHUT_WR)
        assert rest_of(link)[:10] in {b"", b"HTTP/1.1 4", b"HTTP/1.1 2"}
    assert probe(address, "/readyz").status == 200


@trials(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES | st.binary()))
def test_no_bytes_whatever_end_the_listener(address: str, parts: list[bytes]) -> None:
    with dialled(address) as link, contextlib.suppress(ConnectionError):
        link.sendall(b"".join(parts))
        link.shutdown(socket.SHUT_WR)
        rest_of(link)
    assert probe(address, "/readyz").status == 200


def test_a_head_over_eight_kib_is_refused(address: str) -> None:
    with dialled(address) as link:
        link.sendall(b"GET /readyz HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 9000)
        assert rest_of(link).startswith(b"HTTP/1.1 431 ")


def test_who_says_nothing_keeps_nobody_out(address: str) -> None:
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(dialled(address)) for _ in range(200)]
        assert [probe(address, path).status for path in PATHS] == [200, 200, 200]
        # The oldest have made room.
        assert rest_of(silent[0]) == b""


def test_who_sends_byte_by_byte_is_cut_off_when_the_time_is_over() -> None:
    async def story() -> float:
        limits = HttpLimits(seconds=TRICKLE_SECONDS)
        async with served(limits) as where, asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(*where)
            began, ended = time.monotonic(), asyncio.ensure_future(reader.read())
            while not ended.done():
                writer.write(b"x")
                await asyncio.wait([ended], timeout=0.05)
            writer.transport.abort()
            return time.monotonic() - began

    assert asyncio.run(story()) >= TRICKLE_SECONDS * 0.9


def test_who_does_not_end_a_body_is_cut_off_when_the_time_is_over() -> None:
    async def story() -> bytes:
        limits = HttpLimits(seconds=TRICKLE_SECONDS)
        async with served(limits) as where, asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(*where)
            writer.write(b"GET /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n12345")
            answer = await reader.read()
            writer.transport.abort()
            return answer

    assert asyncio.run(story()).startswith(b"HTTP/1.1 200 ")


def test_no_more_connections_are_held_than_the_limit_says() -> None:
    async def story() -> list[bool]:
        async with served(HttpLimits(connections=3)) as where, asyncio.timeout(PATIENCE):
            links = [await asyncio.open_connection(*where) for _ in range(5)]
            ends = [asyncio.ensure_future(reader.read()) for reader, _ in links]
            await asyncio.gather(*ends[:2], return_exceptions=True)
            held = [end.done() for end in ends]
            for _, writer in links:
                writer.transport.abort()
            await asyncio.gather(*ends, return_exceptions=True)
            return held

    assert asyncio.run(story()) == [True, True, False, False, False]


# ---- where it listens, and what it leaves ------------------------------------------------------


def test_it_listens_on_every_interface_where_it_is_told_to(scene: Scene) -> None:
    with listening(scene, "http", bind_host="0.0.0.0") as addresses:  # noqa: S104
        _, port = endpoint(addresses["http"])
        assert probe(f"127.0.0.1:{port}", "/livez").status == 200


def test_it_listens_on_an_ipv6_address_where_the_machine_has_one(scene: Scene) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        with pytest.raises(HealthBindError, match="::1"), listening(scene, bind_host="::1"):
            pass
    else:
        with listening(scene, "http", bind_host="::1") as addresses:
            assert addresses["http"].startswith("[::1]:")
            assert probe(addresses["http"], "/livez").status == 200


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_a_port_that_is_taken_is_named_with_its_listener(scene: Scene, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HealthBindError) as caught, listening(scene, kind, bind_port=port):
            pass
    error = caught.value
    assert (error.listener, error.address) == (kind, f"127.0.0.1:{port}")
    assert str(error).startswith(f"runtime.platform.health.{kind}: cannot listen on 127.0.0.1:")
    assert error.exit_code == 3
    assert not health_threads()


@pytest.mark.parametrize("groups", [None, FOUR], ids=["memory", "processes"])
def test_the_status_of_a_service_has_the_port_that_was_taken_for_port_0(groups: Any) -> None:
    platform = {"health": {"http": {"bind_host": "127.0.0.1", "bind_port": 0}}}
    with serve(asked(groups, platform=platform)) as service:
        addresses = service.status().health
        assert list(addresses) == ["http"]
        assert probe(addresses["http"], "/readyz").status == 200


def test_an_address_of_another_machine_cannot_be_had(scene: Scene) -> None:
    with (
        pytest.raises(HealthBindError, match=r"192\.0\.2\.1"),
        listening(scene, "http", bind_host="192.0.2.1"),
    ):
        pass


def test_a_listener_that_cannot_be_had_takes_the_other_with_it(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        grpc = HealthListenerConfig(bind_port=taken.getsockname()[1])
        config = HealthConfig(http=HealthListenerConfig(), grpc=grpc)
        with pytest.raises(HealthBindError) as caught, health_server(config, scene.checks()):
            pass
    assert caught.value.listener == "grpc"
    assert not health_threads()


def test_a_listener_that_does_not_come_to_listen_ends_the_start(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gRPC waits for ever where it gets no threads, which is not to be had here."""

    class Stuck:
        def add_insecure_port(self, _: str) -> int:
            return 1

        async def start(self) -> None:
            await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(server, "_LISTEN_SECONDS", 0.1)
    monkeypatch.setattr("sk_supervisor._health.grpc.HealthServicer.server", lambda _: Stuck())
    with (
        pytest.raises(HealthBindError, match=r"not listen after 0\.1 s") as caught,
        listening(scene),
    ):
        pass
    assert caught.value.listener == "grpc"
    assert not health_threads()


def descriptors_after_a_crowd(scene: Scene) -> list[str]:
    """What is open when both listeners have ended, with silent connections on each."""
    with listening(scene) as addresses:
        silent = [dialled(address) for address in addresses.values() for _ in range(5)]
        assert probe(addresses["http"], "/readyz").status == 200
    for link in silent:
        rest_of(link)
        link.close()
    assert not health_threads()
    return sorted(os.listdir("/dev/fd"))


def test_the_end_leaves_no_thread_and_no_descriptor_whoever_is_connected(scene: Scene) -> None:
    descriptors_after_a_crowd(scene)  # libraries are loaded, and keep what they keep
    before = sorted(os.listdir("/dev/fd"))
    # gRPC lets go of its own a moment later: what does not grow is not left behind.
    assert min(len(descriptors_after_a_crowd(scene)) for _ in range(5)) <= len(before)

"""The admin socket's server: what it answers, whom it answers, and what clients cannot do to it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sk_kernel import LifecycleEvent, RunStatus
from sk_supervisor._operate import client as client
from sk_supervisor._operate.admin import AdminServer, Controls, Limits
from sk_supervisor._operate.entries import AdminListener, Entry, RunInfo
from sk_supervisor._operate.protocol import (
    PAGE,
    REQUEST_BYTES,
    ReceivedResponse,
    Request,
    Response,
    line,
    parse_request,
    parse_response,
    refused,
)
from sk_supervisor.errors import (
    AdminAnswerError,
    AdminRefusedError,
    RunGoneError,
    RunSilentError,
    StatusVersionError,
)
from supervisor_harness import PATIENCE, descriptors, left_since, opened_since, threads

STATUS = RunStatus(
    run_id="r1", scenario="any", profile="memory", state="running", ready=True, age_seconds=1.5
)
EVENTS = [
    LifecycleEvent(sequence=n, time_ns=n, name="worker_ready", correlation_id="r1")
    for n in range(1, 3 * PAGE)
]


class Run:
    """A run that is none, behind a real socket."""

    def __init__(self, folder: Path, limits: Limits | None = None, **options: Any) -> None:
        self.stops: list[bool] = []
        self.refused: list[str] = []
        self.status: Callable[[], RunStatus] = lambda: STATUS
        info = RunInfo("r1", os.getpid(), "any", 1.0)
        listener = AdminListener(folder, info)
        self.entry = Entry(listener.path, info)
        controls = Controls(
            lambda: self.status(),
            lambda after: EVENTS[after:],
            self.stops.append,
            self.refused.append,
        )
        self.server = AdminServer(listener, controls, limits, **options)
        self._open = True

    def close(self, exit_code: int | None = 0) -> None:
        """End it, once."""
        if self._open:
            self._open = False
            self.server.close(exit_code)

    def dial(self) -> socket.socket:
        """A connection."""
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(str(self.entry.socket))
        return sock

    def say(self, data: bytes) -> dict[str, Any]:
        """Send these bytes; gives the answer."""
        with self.dial() as sock:
            sock.sendall(data)
            return heard(sock)


def heard(sock: socket.socket) -> dict[str, Any]:
    """The next line from there, or nothing at its end."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while not received.endswith(b"\n") and (data := sock.recv(65_536)):
            received += data
    answer: dict[str, Any] = json.loads(received or b"{}")
    return answer


@pytest.fixture
def begin(run_dir: Path) -> Iterator[Callable[..., Run]]:
    """Make a run, which is closed in the end."""
    made: list[Run] = []

    def make(limits: Limits | None = None, **options: Any) -> Run:
        made.append(Run(run_dir, limits, **options))
        return made[-1]

    yield make
    for run in made:
        run.close()


def test_the_status_comes_back_as_it_was(begin: Callable[..., Run]) -> None:
    assert client.status_of(begin().entry) == STATUS


def test_events_come_page_by_page_from_behind_a_number(begin: Callable[..., Run]) -> None:
    entry = begin().entry
    assert list(client.events_of(entry)) == EVENTS
    assert [e.sequence for e in client.events_of(entry, PAGE)] == list(range(PAGE + 1, 3 * PAGE))


@pytest.mark.parametrize("force", [False, True])
def test_a_stop_is_passed_on_as_it_was_meant(begin: Callable[..., Run], force: bool) -> None:
    run = begin()
    client.stop(run.entry, force=force)
    assert run.stops == [force]


@pytest.mark.parametrize(
    ("data", "category"),
    [
        (b"\n", "malformed"),
        (b"status\n", "malformed"),
        (b"\xff\xfe\x00\n", "malformed"),
        (b'{"command":"status"}\n', "malformed"),
        (b'{"version":1,"command":7}\n', "malformed"),
        (b'{"version":2,"command":"status"}\n', "version"),
        (b'{"version":1,"command":"format"}\n', "command"),
        (b'{"version":1,"x":' + b"[" * 4_000 + b"\n", "malformed"),
        (b"x" * REQUEST_BYTES, "malformed"),
        (b"x" * 100 * REQUEST_BYTES + b"\n", "malformed"),
        (b'{"version":1,"command":"status","x":"' + b"y" * REQUEST_BYTES + b'"}\n', "malformed"),
    ],
)
def test_what_is_no_request_is_refused_by_its_category(
    begin: Callable[..., Run], data: bytes, category: str
) -> None:
    run = begin()
    with run.dial() as sock:
        with contextlib.suppress(OSError):  # it hangs up on the rest of what is too long
            sock.sendall(data)
        answer = heard(sock)
    assert (answer["version"], answer["error"]["category"]) == (1, category)
    assert run.refused == [category]
    assert client.status_of(run.entry) == STATUS


def nearly(data: bytes) -> Iterator[bytes]:
    """These bytes with any one of them changed, and every beginning of them."""
    for at in range(len(data)):
        yield data[:at]
        yield from (data[:at] + bytes([other]) + data[at + 1 :] for other in range(256))


@pytest.mark.parametrize(
    "request_",
    [Request(1, "status"), Request(1, "events", after=17), Request(1, "stop", True, True)],
    ids=lambda request_: request_.command,
)
def test_a_request_with_any_byte_changed_is_one_or_a_typed_refusal(request_: Request) -> None:
    seen = set()
    for data in nearly(line(request_)):
        parsed = parse_request(data)
        if isinstance(parsed, Request):
            assert parse_request(line(parsed)) == parsed
            seen.add("")
        else:
            assert parsed.error is not None
            seen.add(parsed.error.category)
    assert seen == {"", "malformed", "version"}


def test_a_request_may_come_in_pieces(begin: Callable[..., Run]) -> None:
    with begin().dial() as sock:
        for byte in b'{"version":1,"command":"status"}\n':
            sock.sendall(bytes([byte]))
        assert heard(sock)["status"]["run_id"] == "r1"


def test_another_user_is_refused_and_cannot_stop_the_run(begin: Callable[..., Run]) -> None:
    run = begin(uid_of=lambda _: os.geteuid() + 1)
    for ask in (client.status_of, lambda e: client.stop(e, force=True)):
        with pytest.raises(AdminRefusedError) as caught:
            ask(run.entry)
        assert caught.value.category == "forbidden"
    assert (run.stops, run.refused) == ([], ["forbidden"] * 2)


def test_a_peer_of_whom_the_kernel_tells_nothing_is_refused(begin: Callable[..., Run]) -> None:
    def unknown(_: socket.socket) -> int:
        raise OSError("no credentials")

    with pytest.raises(AdminRefusedError, match="forbidden"):
        client.status_of(begin(uid_of=unknown).entry)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can connect as another user")
def test_the_user_who_connects_is_the_one_that_counts(begin: Callable[..., Run]) -> None:
    """It connects past the modes that would keep it out."""
    run = begin()
    folder = run.entry.socket.parent
    folder.chmod(0o711)
    run.entry.socket.chmod(0o666)
    sock = socket.socket(socket.AF_UNIX)
    try:
        os.seteuid(65_534)
        sock.connect(str(run.entry.socket))
    finally:
        os.seteuid(0)
        folder.chmod(0o700)
    with sock:
        sock.settimeout(PATIENCE)
        with contextlib.suppress(BrokenPipeError):
            sock.sendall(b'{"version":1,"command":"status"}\n')
        assert heard(sock)["error"]["category"] == "forbidden"
    assert run.refused == ["forbidden"]


def test_a_client_that_says_nothing_or_half_is_dropped_in_time(begin: Callable[..., Run]) -> None:
    run = begin(Limits(seconds=0.2))
    with run.dial() as silent, run.dial() as half:
        half.sendall(b'{"version":1,')
        assert silent.recv(1) == b""
        assert half.recv(1) == b""


def test_a_client_that_does_not_read_is_dropped_and_holds_nobody_up(
    begin: Callable[..., Run],
) -> None:
    run = begin(Limits(seconds=5.0))
    run.status = lambda: msgspec.structs.replace(STATUS, stop_reasons=("x" * 4_000_000,))
    with run.dial() as deaf:
        deaf.sendall(b'{"version":1,"command":"status"}\n')
        assert len(client.status_of(run.entry, PATIENCE).stop_reasons[0]) == 4_000_000
        with run.dial() as silent:
            assert silent.recv(1) == b""  # it came later, and so its time is over later
        received = 0
        while data := deaf.recv(1_000_000):
            received += len(data)
    assert received < 4_000_000


def test_a_hundred_clients_at_once_are_all_answered(begin: Callable[..., Run]) -> None:
    run = begin(Limits(links=8))
    start, answers = threading.Barrier(100), []

    def ask() -> None:
        start.wait()
        answers.append(client.status_of(run.entry, PATIENCE))

    clients = [threading.Thread(target=ask) for _ in range(100)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    assert answers == [STATUS] * 100


def test_clients_that_take_all_places_are_outlasted(begin: Callable[..., Run]) -> None:
    run = begin(Limits(links=2, seconds=0.5))
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(run.dial())
        assert client.status_of(run.entry, PATIENCE) == STATUS


def test_whoever_waits_for_the_end_hears_the_exit_code(begin: Callable[..., Run]) -> None:
    run = begin()
    with run.dial() as sock:
        sock.sendall(b'{"version":1,"command":"stop","wait":true}\n')
        assert client.status_of(run.entry) == STATUS  # behind it, so that it was taken
        run.close(143)
        assert heard(sock) == {"version": 1, "exit_code": 143}
    assert run.stops == [False]


def test_so_many_may_wait_and_the_next_one_s_stop_counts_all_the_same(
    begin: Callable[..., Run],
) -> None:
    run = begin(Limits(waiting=2))
    request = b'{"version":1,"command":"stop","wait":true}\n'
    with run.dial() as first, run.dial() as second:
        first.sendall(request)
        second.sendall(request)
        assert client.status_of(run.entry) == STATUS
        assert run.say(request)["error"]["category"] == "busy"
        assert run.stops == [False] * 3
        first.close()
        assert client.status_of(run.entry) == STATUS
        run.close(7)
        assert heard(second)["exit_code"] == 7


def test_a_run_that_ends_without_a_word_has_gone(begin: Callable[..., Run]) -> None:
    run = begin()
    asked: list[BaseException] = []

    def wait() -> None:
        try:
            client.stop_and_wait(run.entry, force=False, seconds=None)
        except RunGoneError as error:
            asked.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    while not run.stops:
        client.status_of(run.entry)
    run.close(None)
    waiter.join(PATIENCE)
    assert [str(error) for error in asked] == ["run r1 has ended"]


def test_a_wait_that_is_too_long_is_given_up(begin: Callable[..., Run]) -> None:
    with pytest.raises(RunSilentError, match=r"within 0\.2 s"):
        client.stop_and_wait(begin().entry, force=False, seconds=0.2)


def test_a_run_that_has_ended_is_gone(begin: Callable[..., Run]) -> None:
    run = begin()
    run.close()
    with pytest.raises(RunGoneError):
        client.status_of(run.entry)
    assert not run.entry.socket.exists()


def test_a_supervisor_that_raises_costs_the_one_answer_and_tells_no_message(
    begin: Callable[..., Run],
) -> None:
    run = begin()

    def broken() -> RunStatus:
        raise ValueError("a secret")

    run.status = broken
    with pytest.raises(AdminRefusedError, match=r"\(internal\): ValueError$"):
        client.status_of(run.entry)
    run.status = lambda: STATUS
    assert client.status_of(run.entry) == STATUS


def test_a_status_of_another_version_is_refused_with_both(begin: Callable[..., Run]) -> None:
    run = begin()
    run.status = lambda: msgspec.structs.replace(STATUS, version=2)
    with pytest.raises(StatusVersionError) as caught:
        client.status_of(run.entry)
    assert (caught.value.version, caught.value.known) == (2, 1)
    assert "the run speaks version 2, and this sk knows version 1" in str(caught.value)


def test_an_answer_of_another_version_is_refused_too() -> None:
    with pytest.raises(StatusVersionError):
        parse_response(b'{"version":3,"anything":{}}\n')


@pytest.mark.parametrize(
    ("response", "seen"),
    [
        (Response(1, events=tuple(EVENTS[:2])), {ReceivedResponse}),
        (Response(1, stopping=True, exit_code=4), {ReceivedResponse}),
        (refused("busy", "later"), {ReceivedResponse, AdminRefusedError}),
    ],
    ids=["events", "stop", "refusal"],
)
def test_an_answer_with_any_byte_changed_is_one_or_a_typed_error(
    response: Response, seen: set[type]
) -> None:
    got: set[type] = set()
    for data in nearly(line(response)):
        try:
            received = parse_response(data)
        except (AdminAnswerError, AdminRefusedError, StatusVersionError) as error:
            got.add(type(error))
        else:
            got.add(type(received))
            assert received.exit_code is None or isinstance(received.exit_code, int)
    assert got == {AdminAnswerError, StatusVersionError, *seen}


def test_a_server_leaves_no_thread_and_no_descriptor(run_dir: Path) -> None:
    before, open_before = threads(), descriptors()
    for _ in range(20):
        run = Run(run_dir)
        with run.dial() as waiting:
            waiting.sendall(b'{"version":1,"command":"stop","wait":true}\n')
            client.status_of(run.entry)
            run.close()
    assert left_since(before) == set()
    assert opened_since(open_before) == set()

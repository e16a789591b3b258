"""The channel when the other end is missing, wrong or gone; and real processes that die."""

from __future__ import annotations

import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent import futures
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from sk_control import (
    BootstrapBundle,
    BootstrapKeyBundle,
    BundleAck,
    ControlConnectError,
    ControlEvent,
    ControlLostError,
    ControlMessage,
    ControlPlaneChannel,
    ControlProtocolError,
    ControlServer,
    ControlSettingError,
    ControlTimeoutError,
    Direction,
    Heartbeat,
    HelloRefusedError,
    LossReason,
    MessageRefusedError,
    Ready,
    StartWork,
    Stop,
    VersionMismatchError,
    WorkerHello,
    WorkerIdentity,
    WorkerLost,
    WorkerMessage,
)
from sk_control._control_keys import control_keys, token_keys, with_control_keys
from sk_control._grpc import METHOD_NAME, SERVICE_NAME
from sk_control._seal import Sealer
from sk_transport import KeyMaterial, Secret, counting_nonces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Control

DEADLINE = 20.0
WORKER = WorkerIdentity("w-1", "features", 0, 1)
TOKEN = Secret(b"the one-time token of this test.")


def bundle_for_worker(keys: BootstrapKeyBundle | None = None) -> BootstrapBundle:
    keys = keys or BootstrapKeyBundle()
    return BootstrapBundle("r", "s", "features", 0, 1, (), b"{}", "127.0.0.1", 1, 1.0, keys)


PEER = """
import sys, time
from sk_transport import KeyMaterial, Secret, counting_nonces
from sk_control import *

def bundle_for(hello):
    return BootstrapBundle("r", "s", "features", 0, 1, (), b"{}", "127.0.0.1", 1, 1.0)

role, address, token = sys.argv[1:]
identity, token = WorkerIdentity("w-1", "features", 0, 1), Secret(bytes.fromhex(token))
if role == "worker":
    channel = ControlPlaneChannel.connect(
        address, "session-1", identity, token, on_message=print, on_lost=print)
    channel.send(Ready())
else:
    server = ControlServer("session-1", KeyMaterial.generated(), workers=1,
        bundle_for=bundle_for, on_event=lambda event: None)
    server.expect(identity, token, time.monotonic_ns() + 60 * 10**9)
    print(server.address, flush=True)
sys.stdin.read()
"""


class Peer:
    """The other end in a process of its own, until it is killed."""

    def __init__(self, role: str, address: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PEER, role, address, TOKEN.reveal().hex()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def say(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def kill(self, how: signal.Signals = signal.SIGKILL) -> bytes:
        """Kill it; what it wrote on its standard error."""
        self.process.send_signal(how)
        return self.process.communicate(timeout=DEADLINE)[1]


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    with ExitStack() as stack:

        def start(*arguments: str) -> Peer:
            started = Peer(*arguments)
            stack.enter_context(started.process)
            stack.callback(started.process.kill)
            return started

        yield start


class Impostor:
    """Answers on the control service's method with bytes of its choice."""

    def __init__(self, stack: ExitStack, *answers: bytes) -> None:
        pool = futures.ThreadPoolExecutor(2)
        self.hello: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._release = threading.Event()

        def serve(requests: Iterator[bytes], _context: Any) -> Iterator[bytes]:
            self.hello.put(next(requests))
            yield from answers
            self._release.wait(DEADLINE)

        server = grpc.server(pool, options=[("grpc.so_reuseport", 0)])
        handler = grpc.stream_stream_rpc_method_handler(serve)
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(SERVICE_NAME, {METHOD_NAME: handler})]
        )
        self.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        stack.callback(pool.shutdown)
        stack.callback(lambda: server.stop(None).wait())
        stack.callback(self._release.set)


@pytest.fixture
def impostor() -> Iterator[Callable[..., Impostor]]:
    with ExitStack() as stack:
        yield lambda *answers: Impostor(stack, *answers)


def dial(address: str, **options: Any) -> ControlPlaneChannel:
    """Connect as the worker that every test here is."""
    common: dict[str, Any] = {
        "on_message": lambda message: None,
        "on_lost": lambda reason: None,
        "timeout_seconds": DEADLINE,
    }
    return ControlPlaneChannel.connect(address, "session-1", WORKER, TOKEN, **(common | options))


def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_dead_port_is_a_connect_error() -> None:
    """Nothing listens: a typed error that names the address, long before the timeout."""
    address = f"127.0.0.1:{unused_port()}"
    with pytest.raises(ControlConnectError) as caught:
        dial(address)
    assert caught.value.address == address


def test_a_port_that_never_answers_is_a_timeout() -> None:
    """Something accepts and is silent: the caller's deadline holds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ControlTimeoutError) as caught:
            dial(address, timeout_seconds=0.2)
    assert (caught.value.address, caught.value.seconds) == (address, 0.2)


def test_a_port_of_another_protocol_is_a_connect_error() -> None:
    """Something answers in bytes that are not HTTP/2."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 mail.example ESMTP\r\n" * 100)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ControlConnectError):
            dial(f"127.0.0.1:{listener.getsockname()[1]}")
        thread.join(DEADLINE)


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "0.0.0.0:1", "localhost:1", "::1:1"]
)
def test_an_address_that_is_not_loopback_is_not_dialled(address: str) -> None:
    """A worker sends its hello to this machine only."""
    with pytest.raises(ControlSettingError):
        dial(address)


NONCES = counting_nonces()
CONTROL = control_keys(KeyMaterial.generated(), "session-1", "w-1")
BUNDLE = bundle_for_worker(with_control_keys(BootstrapKeyBundle(), CONTROL))


def from_supervisor(
    key: Secret, message: ControlMessage, worker_id: str = "w-1", seconds_ago: int = 0
) -> bytes:
    """Sign as a supervisor with that key would."""
    way = Direction.TO_WORKER

    def clock() -> int:
        return time.monotonic_ns() - seconds_ago * 10**9

    sealer = Sealer(1, "session-1", worker_id, way, key, clock, NONCES)
    return sealer.seal(message)


def token_key(token: Secret = TOKEN, worker_id: str = "w-1") -> Secret:
    return token_keys(token, "session-1", worker_id)[Direction.TO_WORKER]


@pytest.mark.contract("P5PRE-CTRL-03", "P5PRE-CTRL-06")
@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (lambda: b"", "malformed/bad_field"),
        (lambda: b"\xffgarbage", "malformed/undecodable"),
        (lambda: from_supervisor(token_key(Secret.generate()), BUNDLE), "signature/bad_signature"),
        (lambda: from_supervisor(token_key(TOKEN, "w-2"), BUNDLE, "w-2"), "identity/wrong_worker"),
        (lambda: from_supervisor(token_key(), bundle_for_worker()), "malformed/bad_field"),
        (lambda: from_supervisor(token_key(), BUNDLE, seconds_ago=31), "freshness/outside_ttl"),
    ],
)
def test_a_worker_believes_no_impostor(
    impostor: Callable[..., Impostor], answer: Callable[[], bytes], refusal: str
) -> None:
    """Who does not hold the token cannot give a worker its bundle; nor can a bundle of another."""
    with pytest.raises(MessageRefusedError) as caught:
        dial(impostor(answer()).address)
    assert f"{caught.value.category}/{caught.value.code}" == refusal


def test_a_worker_refuses_its_own_hello_reflected(impostor: Callable[..., Impostor]) -> None:
    """The impostor has nothing else that is signed with the token."""
    first = impostor()
    with pytest.raises(ControlTimeoutError):
        dial(first.address, timeout_seconds=2)  # in which the hello has come
    with pytest.raises(MessageRefusedError) as caught:
        dial(impostor(first.hello.get(timeout=DEADLINE)).address)
    assert caught.value.code == "wrong_direction"


def test_a_worker_refuses_orders_before_its_bundle(impostor: Callable[..., Impostor]) -> None:
    """Rightly signed and out of order: a protocol error."""
    with pytest.raises(ControlProtocolError) as caught:
        dial(impostor(from_supervisor(token_key(), StartWork())).address)
    assert caught.value.code == "start_before_ready"


def test_the_token_never_crosses_the_wire(impostor: Callable[..., Impostor]) -> None:
    """The hello proves possession and does not hold it."""
    server = impostor(b"\xff")
    with pytest.raises(MessageRefusedError):
        dial(server.address)
    assert TOKEN.reveal() not in server.hello.get(timeout=DEADLINE)


def test_a_replayed_or_foreign_message_on_an_open_channel_is_dropped_and_counted(
    impostor: Callable[..., Impostor],
) -> None:
    """The bundle again, garbage, another's: the callback hears nothing, the session goes on."""
    bundle = from_supervisor(token_key(), BUNDLE)
    key = CONTROL[Direction.TO_WORKER]
    answers = {
        bundle: None,
        b"\xff": "malformed",
        from_supervisor(token_key(), Stop(drain=True)): "signature",
        from_supervisor(key, Stop(drain=True), "w-2"): "identity",
        from_supervisor(key, Heartbeat()): "identity",
        from_supervisor(key, BUNDLE): "protocol",
    }
    stop = from_supervisor(key, Stop(drain=True))
    server = impostor(*answers, stop, stop, from_supervisor(key, Stop(drain=False)))
    heard: queue.SimpleQueue[object] = queue.SimpleQueue()
    channel = dial(server.address, on_message=heard.put, on_lost=heard.put)
    assert heard.get(timeout=DEADLINE) == Stop(drain=True)
    assert heard.get(timeout=DEADLINE) == Stop(drain=False)
    counted = {category: n for category, n in channel.refusals().items() if n}
    channel.close(timeout_seconds=0.1)
    assert counted == {"malformed": 1, "signature": 1, "identity": 2, "protocol": 1, "replay": 1}
    assert heard.empty()


def test_a_refused_hello_names_why(control: Control) -> None:
    """The supervisor's category and code reach the worker as a typed error."""
    identity = control.expect("w-1")
    with pytest.raises(HelloRefusedError) as caught:
        control.connect(identity, token=Secret.generate())
    assert (caught.value.category, caught.value.code) == ("signature", "bad_signature")
    control.connect(identity)


def test_a_version_mismatch_names_both_versions_on_both_sides(control: Control) -> None:
    """The worker gets a typed error, the server counts the refusal; the place stays free."""
    identity = control.expect("w-1")
    with pytest.raises(VersionMismatchError) as caught:
        control.connect(identity, protocol_versions=(3, 2))
    assert (caught.value.ours, caught.value.theirs) == ((3, 2), (1,))
    assert control.server.refusals()["version"] == 1
    control.connect(identity)


def test_two_workers_cannot_have_the_same_place(control: Control) -> None:
    """The second one is told that the token is spent."""
    identity = control.expect("w-1")
    control.connect(identity)
    with pytest.raises(HelloRefusedError) as caught:
        control.connect(identity)
    assert caught.value.code == "token_used"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_supervisor_is_noticed_once(
    peer: Callable[..., Peer], how: signal.Signals
) -> None:
    """Its worker hears of it, at once and once, and can send no more."""
    supervisor = peer("supervisor", "")
    lost: queue.SimpleQueue[LossReason] = queue.SimpleQueue()
    with dial(supervisor.say(), on_lost=lost.put) as channel:
        channel.send(Ready())
        assert supervisor.kill(how) == b""
        assert lost.get(timeout=DEADLINE) is LossReason.STREAM_ENDED
        with pytest.raises(ControlLostError):
            channel.send(Heartbeat())
    assert lost.empty()


def test_a_killed_worker_is_lost_once(peer: Callable[..., Peer]) -> None:
    """Its supervisor hears of it, at once and once, behind what the worker had said."""
    events: queue.SimpleQueue[ControlEvent] = queue.SimpleQueue()
    with real_server(events) as server:
        worker = peer("worker", server.address)
        assert isinstance(events.get(timeout=DEADLINE), WorkerHello)
        assert events.get(timeout=DEADLINE) == WorkerMessage("w-1", BundleAck())
        assert events.get(timeout=DEADLINE) == WorkerMessage("w-1", Ready())
        assert worker.kill() == b""
        assert events.get(timeout=DEADLINE) == WorkerLost("w-1", LossReason.STREAM_ENDED)
        with pytest.raises(ControlLostError):
            server.send("w-1", Stop(drain=True))
    assert events.empty()


def test_close_does_not_wait_for_a_worker_that_is_stopped(peer: Callable[..., Peer]) -> None:
    """A worker under SIGSTOP takes nothing; the server is closed all the same."""
    events: queue.SimpleQueue[ControlEvent] = queue.SimpleQueue()
    server = real_server(events)
    worker = peer("worker", server.address)
    while events.get(timeout=DEADLINE) != WorkerMessage("w-1", Ready()):
        pass
    worker.process.send_signal(signal.SIGSTOP)
    server.close(timeout_seconds=0.2)
    assert not [t for t in threading.enumerate() if t.name == "sk-control-server"]


def real_server(events: queue.SimpleQueue[ControlEvent]) -> ControlServer:
    """Listen on the machine's own clock, as between processes."""
    server = ControlServer(
        "session-1",
        KeyMaterial.generated(),
        workers=1,
        bundle_for=lambda hello: bundle_for_worker(),
        on_event=events.put,
    )
    server.expect(WORKER, TOKEN, time.monotonic_ns() + 60 * 10**9)
    return server


QUIET = """
import socket, time
from sk_transport import KeyMaterial, Secret, counting_nonces
from sk_control import *

def server(port=0):
    return ControlServer("s", KeyMaterial.generated(), workers=1, port=port,
        bundle_for=lambda hello: None, on_event=lambda event: None)

def dial(address):
    try:
        ControlPlaneChannel.connect(address, "s", WorkerIdentity("w", "g", 0, 1), Secret.generate(),
            on_message=print, on_lost=print, timeout_seconds=20)
    except ControlError as fault:
        return type(fault).__name__

first = server()
port = int(first.address.rpartition(":")[2])
try:
    server(port)
except ControlBindError:
    print("taken")
with socket.create_connection(("127.0.0.1", port)) as stranger:
    stranger.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n" * 20)
    while stranger.recv(65536):
        pass
print(dial(first.address))
first.close()
print(dial(first.address))
"""


def test_nothing_is_written_to_standard_error() -> None:
    """Not by gRPC either: a taken port, a stranger, a refused and a vain hello, and the exit."""
    done = subprocess.run(
        [sys.executable, "-c", QUIET], capture_output=True, timeout=DEADLINE * 2, check=True
    )
    assert done.stdout.split() == [b"taken", b"HelloRefusedError", b"ControlConnectError"]
    assert done.stderr == b""


@pytest.mark.parametrize("role", ["worker", "supervisor"])
def test_a_process_that_forgets_to_close_still_ends(peer: Callable[..., Peer], role: str) -> None:
    """No thread of ours holds up the interpreter's exit, with a session open at both ends."""
    events: queue.SimpleQueue[ControlEvent] = queue.SimpleQueue()
    with ExitStack() as stack:
        if role == "worker":
            server = stack.enter_context(real_server(events))
            process = peer("worker", server.address).process
            while events.get(timeout=DEADLINE) != WorkerMessage("w-1", Ready()):
                pass
        else:
            supervisor = peer("supervisor", "")
            process = supervisor.process
            stack.enter_context(dial(supervisor.say()))
        _, errors = process.communicate(b"", timeout=DEADLINE)
    assert (process.returncode, errors) == (0, b"")

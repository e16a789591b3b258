"""The server's side of the Session method: each stream from its first message to its end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import grpc

from sk_control._codes import RefusalCode
from sk_control._endpoint import Endpoint
from sk_control._events import (
    ControlEvent,
    LossReason,
    Refused,
    WorkerHello,
    WorkerLost,
    WorkerMessage,
)
from sk_control._grpc import refusal_metadata
from sk_control._messages import BootstrapBundle, Hello
from sk_control._outbox import Outbox
from sk_control._refusals import Refusal, RefusalCounter, category_of
from sk_control._roster import Roster
from sk_control._settings import ControlSettings
from sk_control._threads import StreamThreads
from sk_control._transitions import SessionState
from sk_control._waiting import WaitingRoom
from sk_control.errors import ControlProtocolError, MessageRefusedError, WorkerNotExpectedError


class _Stream:
    """One call of Session: its outgoing messages, and the reason if it was rejected."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        self.refusal: Refusal | None = None


class StreamService:
    """Serves each stream with two threads: one reads and reports events, one sends.

    All events of an admitted worker come from the reading thread of its stream, in order.
    """

    def __init__(
        self,
        roster: Roster,
        bundle_for: Callable[[Hello], BootstrapBundle],
        on_event: Callable[[ControlEvent], None],
        settings: ControlSettings,
        threads: StreamThreads,
    ) -> None:
        self._roster, self._bundle_for, self._on_event = roster, bundle_for, on_event
        self._hello_timeout = settings.hello_timeout_seconds
        self._threads = threads
        self._waiting = WaitingRoom[_Stream](settings.max_waiting)
        self._lock = threading.Lock()
        self._open: set[_Stream] = set()
        self._closing = False
        self.refusals = RefusalCounter()

    def serve(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """Handle one call of Session; gRPC iterates over the result in a thread, and sends it."""
        stream = _Stream()
        if not self._enter(stream):
            return
        try:
            context.add_callback(stream.outbox.close)
            try:
                self._threads.start(self._read, requests, stream)
            except RuntimeError:  # the system cannot start a thread
                self._waiting.leave(stream)
                context.set_code(grpc.StatusCode.RESOURCE_EXHAUSTED)
                return
            yield from self._outgoing(stream)
        finally:
            with self._lock:
                self._open.discard(stream)
        if stream.refusal is not None:
            context.set_code(grpc.StatusCode.UNAUTHENTICATED)
            context.set_details("refused")
            context.set_trailing_metadata(refusal_metadata(stream.refusal))

    def close(self) -> None:
        """End all streams after their queued messages; report no events from now on."""
        with self._lock:
            self._closing = True
            streams = list(self._open)
        for stream in streams:
            stream.outbox.close()

    # ---- the sending thread ----------------------------------------------------------------------

    def _enter(self, stream: _Stream) -> bool:
        with self._lock:
            if self._closing:
                return False
            self._open.add(stream)
        oldest = self._waiting.enter(stream)
        if oldest is not None:
            self._turn_away(oldest, MessageRefusedError(RefusalCode.EVICTED))
        return True

    def _outgoing(self, stream: _Stream) -> Iterator[bytes]:
        try:
            first = stream.outbox.first(self._hello_timeout)
        except queue.Empty:
            if self._waiting.leave(stream):
                self._turn_away(stream, MessageRefusedError(RefusalCode.HELLO_TIMEOUT))
        else:
            if first is None:
                return
            yield first
        yield from stream.outbox

    # ---- the reading thread ----------------------------------------------------------------------

    def _read(self, requests: Iterator[bytes], stream: _Stream) -> None:
        try:
            hello = self._first(requests, stream)
            if hello is not None:
                self._follow(requests, hello)
        finally:
            stream.outbox.close()

    def _first(self, requests: Iterator[bytes], stream: _Stream) -> Hello | None:
        raw = next(_until_cut(requests), None)
        if not self._waiting.leave(stream):
            return None
        if raw is None:
            self._turn_away(stream, MessageRefusedError(RefusalCode.NO_HELLO))
            return None
        try:
            return self._roster.admit(raw, stream.outbox.put)
        except (MessageRefusedError, ControlProtocolError) as refusal:
            self._turn_away(stream, refusal)
            return None

    def _follow(self, requests: Iterator[bytes], hello: Hello) -> None:
        try:
            endpoint = self._roster.endpoint(hello.worker_id)
        except WorkerNotExpectedError:
            return  # the worker was forgotten meanwhile
        reason, cause = LossReason.STREAM_ENDED, None
        try:
            self._on_event(WorkerHello(hello))
            cause = self._bootstrap(endpoint, hello)
            if cause is not None:
                reason = LossReason.BUNDLE_FAILED
                return
            for raw in _until_cut(requests):
                self._take(endpoint, raw)
        finally:
            state = endpoint.detach()
            known = self._roster.knows(hello.worker_id)
            if known and state is not SessionState.STOPPED and not self._closing:
                self._on_event(WorkerLost(hello.worker_id, reason, cause))

    def _bootstrap(self, endpoint: Endpoint, hello: Hello) -> Exception | None:
        try:
            endpoint.send(self._bundle_for(hello))
        except Exception as fault:  # noqa: BLE001 - reported to the owner, whose code raised it
            return fault
        return None

    def _take(self, endpoint: Endpoint, raw: bytes) -> None:
        try:
            message = endpoint.receive(raw)
        except (MessageRefusedError, ControlProtocolError) as refusal:
            self._report(refusal)
        else:
            if self._roster.knows(endpoint.worker_id):
                self._on_event(WorkerMessage(endpoint.worker_id, message))

    # ---- refusals --------------------------------------------------------------------------------

    def _turn_away(self, stream: _Stream, refusal: Refusal) -> None:
        stream.refusal = refusal
        stream.outbox.close()
        self._report(refusal)

    def _report(self, refusal: Refusal) -> None:
        if self._closing:
            return
        self.refusals.add(category_of(refusal))
        known = refusal.worker_id if self._roster.knows(refusal.worker_id) else ""
        self._on_event(Refused(category_of(refusal), refusal.code, known))


def _until_cut(requests: Iterator[bytes]) -> Iterator[bytes]:
    """Iterate over the received messages; end without an error if the stream is cut off."""
    try:
        yield from requests
    except grpc.RpcError:
        return

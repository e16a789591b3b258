"""The server of the admin socket: one thread, with limits on what clients can use of it."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sk_kernel import LifecycleEvent, RunStatus

from sk_supervisor._operate.entries import AdminListener
from sk_supervisor._operate.link import Link
from sk_supervisor._operate.protocol import (
    PROTOCOL_VERSION,
    Request,
    Response,
    page,
    parse_request,
    refused,
)
from sk_supervisor._system.peer_credentials import may_administer, peer_uid
from sk_supervisor._system.threads import begin


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on clients. At most ``links`` are connected; further ones wait in the backlog."""

    links: int = 64
    waiting: int = 16
    """How many of these may wait for the end of the run."""
    seconds: float = 5.0
    """The time from the acceptance of a connection to the last byte of its answer."""


@dataclass(frozen=True, slots=True)
class Controls:
    """The functions behind the commands. They are called in the server's thread and must not block.

    ``events`` takes a sequence number, and returns the events after it.
    """

    status: Callable[[], RunStatus]
    events: Callable[[int], Sequence[LifecycleEvent]]
    stop: Callable[[bool], None]
    """Drains the run, or (True) ends it by force."""
    refused: Callable[[str], None] = lambda _: None
    """Called with the category of each rejected request."""


#: The time in which all clients that wait for the end of the run are sent its exit code.
_FAREWELL_SECONDS = 1.0
#: The pause before the next accept after one failed, as it does without a free file descriptor.
_PAUSE_SECONDS = 1.0


class AdminServer:
    """Answers requests on ``listener`` from construction until :meth:`close`, which closes it too.

    :raises OSError: when no thread or file descriptor is available; the listener is closed then.
    """

    def __init__(
        self,
        listener: AdminListener,
        controls: Controls,
        limits: Limits | None = None,
        uid_of: Callable[[socket.socket], int] = peer_uid,
    ) -> None:
        self._listener, self._controls, self._limits = listener, controls, limits or Limits()
        self._owner, self._uid_of = os.geteuid(), uid_of
        self._links: set[Link] = set()
        self._paused_until = 0.0
        self._farewell: Response | None = None
        self._closing = False
        with contextlib.ExitStack() as opened:
            opened.callback(listener.close)
            self._selector = opened.enter_context(selectors.DefaultSelector())
            self._wake_in, self._wake_out = os.pipe()
            opened.callback(os.close, self._wake_in)
            opened.callback(os.close, self._wake_out)
            self._selector.register(self._wake_in, selectors.EVENT_READ)
            listener.socket.setblocking(False)
            self._thread = threading.Thread(target=self._serve, name="admin", daemon=True)
            begin(self._thread)
            opened.pop_all()  # from here on they belong to the thread

    def close(self, exit_code: int | None) -> None:
        """Send the exit code, if it is known, to the waiting clients, and close everything."""
        if exit_code is not None:
            self._farewell = Response(PROTOCOL_VERSION, exit_code=exit_code)
        self._closing = True
        with contextlib.suppress(BrokenPipeError):  # the thread is gone already
            os.write(self._wake_out, b"x")
        self._thread.join(2 * _FAREWELL_SECONDS)
        self._listener.close()
        os.close(self._wake_out)

    # ---- the loop --------------------------------------------------------------------------------

    def _serve(self) -> None:
        try:
            while not self._closing:
                self._turn()
            self._say_farewell()
        finally:
            for link in list(self._links):
                self._drop(link)
            self._selector.close()
            os.close(self._wake_in)

    def _turn(self) -> None:
        now = time.monotonic()
        self._listen(len(self._links) < self._limits.links and now >= self._paused_until)
        dues = [link.due for link in self._links if link.due is not None]
        dues += [self._paused_until] if self._paused_until > now else []
        for key, _ in self._selector.select(max(0.0, min(dues) - now) if dues else None):
            if isinstance(key.data, Link):
                self._advance(key.data)
            elif key.fileobj is self._listener.socket:
                self._accept()
        now = time.monotonic()
        for link in [link for link in self._links if link.due is not None and now >= link.due]:
            self._drop(link)

    def _listen(self, wanted: bool) -> None:
        registered = self._listener.socket in self._selector.get_map()
        if wanted and not registered:
            self._selector.register(self._listener.socket, selectors.EVENT_READ)
        elif registered and not wanted:
            self._selector.unregister(self._listener.socket)

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.socket.accept()
        except (BlockingIOError, ConnectionError):
            return
        except OSError:
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
            return
        link = Link(sock, time.monotonic() + self._limits.seconds)
        self._links.add(link)
        self._selector.register(sock, selectors.EVENT_READ, link)
        if not self._admits(sock):
            self._answer(link, refused("forbidden", "this run is another user's"))

    def _advance(self, link: Link) -> None:
        """Send more of the answer of a link, or receive more of its request."""
        try:
            if link.answering:
                if link.send():
                    self._drop(link)
                return
            request = link.receive()
        except OSError:
            self._drop(link)
            return
        if request is not None:
            self._take(link, request)

    def _take(self, link: Link, data: bytes) -> None:
        request = parse_request(data)
        answer = self._answer_to(request) if isinstance(request, Request) else request
        if isinstance(request, Request) and answer.stopping and request.wait:
            if sum(link.waiting for link in self._links) < self._limits.waiting:
                link.wait()
                return
            answer = refused("busy", "it is stopping, but too many wait for its end already")
        self._answer(link, answer)

    def _answer(self, link: Link, answer: Response) -> None:
        if answer.error is not None:
            self._controls.refused(answer.error.category)
        link.answer(answer)
        self._selector.modify(link.socket, selectors.EVENT_WRITE, link)
        self._advance(link)

    def _drop(self, link: Link) -> None:
        self._links.discard(link)
        self._selector.unregister(link.socket)
        link.socket.close()

    def _say_farewell(self) -> None:
        if self._farewell is None:
            return
        for link in list(self._links):
            if link.waiting:
                link.socket.settimeout(_FAREWELL_SECONDS / self._limits.waiting)
                with contextlib.suppress(OSError):
                    link.answer(self._farewell)
                    link.send()

    # ---- the answers -----------------------------------------------------------------------------

    def _admits(self, sock: socket.socket) -> bool:
        try:
            return may_administer(self._uid_of(sock), self._owner)
        except OSError:
            return False

    def _answer_to(self, request: Request) -> Response:
        # A supervisor of another package may raise anything; that must not end the admin server.
        try:
            match request.command:
                case "status":
                    return Response(PROTOCOL_VERSION, status=self._controls.status())
                case "events":
                    found = page(self._controls.events(request.after))
                    return Response(PROTOCOL_VERSION, events=found)
                case "stop":
                    self._controls.stop(request.force)
                    return Response(PROTOCOL_VERSION, stopping=True)
        except Exception as error:  # noqa: BLE001
            return refused("internal", type(error).__name__)
        return refused("command", "there are the commands status, events and stop")

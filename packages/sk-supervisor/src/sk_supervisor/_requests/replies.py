"""Replies on their way from the hub's thread to the callers."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from sk_kernel import NodeOutputError, ReplyWaiter
from sk_kernel.runtime import Answer, ReplyWaiterService, RequestCodec

from sk_supervisor._requests.outcomes import terminal_of


class Come(NamedTuple):
    """The effect of an answer from a worker on the request of ``waiter``.

    ``said`` is the answer that completes the request, or None; if it is a failure, it happened in
    ``group``. ``done`` is the name of the request if the nodes have finished it, else empty.
    """

    waiter: ReplyWaiter
    said: Answer | None
    group: str
    done: str


class Replies:
    """Decodes the payloads of replies, and settles the requests.

    Decoding runs code of the application's classes, which may take any time or raise anything. So
    it is done in a separate thread, where it can only delay later replies and fail its own request.
    A small reply that runs no such code is decoded at once: waking another thread takes longer.

    :param on_fault: called in the separate thread, after the request is settled, with the error of
        each reply that cannot be constructed; it must not raise.
    :param on_done: called with the name of each request that the nodes have finished.
    """

    def __init__(
        self,
        codec: RequestCodec,
        waiters: ReplyWaiterService,
        on_done: Callable[[str], None],
        on_fault: Callable[[NodeOutputError], object],
    ) -> None:
        self._codec, self._waiters = codec, waiters
        self._on_done, self._on_fault = on_done, on_fault
        self._come: queue.SimpleQueue[tuple[str, Sequence[Come]] | None] = queue.SimpleQueue()
        #: Frames queued for the other thread, and those it has finished; one thread counts each.
        self._queued = self._attended = 0

    def put(self, worker: str, come: Sequence[Come]) -> None:
        """Take the answers of one frame of a worker. Called in the hub's thread; never blocks."""
        said = [each.said for each in come if each.said is not None]
        if self._queued == self._attended and self._codec.reads_at_once(said):
            with suppress(NodeOutputError):  # the other thread finds it again, and reports it
                read = [self._read(each) for each in come]
                for each, answer in zip(come, read, strict=True):
                    self._settle(worker, each, answer)
                return
        self._queued += 1
        self._come.put((worker, come))

    def attend(self) -> None:
        """Settle queued requests, in order, until :meth:`leave`. Runs in a separate thread."""
        while (frame := self._come.get()) is not None:
            worker, come = frame
            for each in come:
                self._pass_on(worker, each)
            self._attended += 1

    def leave(self) -> None:
        """Make :meth:`attend` return after what is queued so far."""
        self._come.put(None)

    def _pass_on(self, worker: str, come: Come) -> None:
        try:
            self._settle(worker, come, self._read(come))
        except NodeOutputError as error:
            assert come.said is not None  # noqa: S101 - it is what could not be read
            self._settle(worker, come, self._codec.unread(come.said))
            self._on_fault(error)

    def _read(self, come: Come) -> Answer | None:
        """Return the answer with its reply, if there is an answer.

        :raises NodeOutputError: when the reply cannot be constructed.
        """
        if come.said is None:
            return None
        return self._codec.read(come.said, come.waiter.asked_as)

    def _settle(self, worker: str, come: Come, answer: Answer | None) -> None:
        if come.done:
            self._on_done(come.done)  # before the caller wakes, who may send another request
        if answer is not None:
            self._waiters.settle(come.waiter, terminal_of(answer, come.group, worker))

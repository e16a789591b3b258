"""What has come of requests, on its way from the hub's thread to whoever asked."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sk_kernel import ReplyWaiter
from sk_kernel.runtime import Answer, ReplyWaiterService, RequestCodec

from sk_supervisor._requests.outcomes import terminal_of


class Come(NamedTuple):
    """An answer that has come from a worker, for the request of ``waiter``.

    ``said`` is what the request has come to by it, where it has: a failure in there is the
    ``group``'s. ``done`` is the name of a request with which the nodes have done.
    """

    waiter: ReplyWaiter
    said: Answer | None
    group: str
    done: str


class Replies:
    """Makes the payloads of replies, and settles the requests.

    A payload's class is the application's: making it may take any time, or raise anything. So it is
    made in a thread of its own, where that delays the replies behind it and fails its own request,
    and nothing else. What runs no such code, and is small, is made at once: to wake another thread
    takes longer.

    :param on_done: called with the name of each request with which the nodes have done.
    """

    def __init__(
        self, codec: RequestCodec, waiters: ReplyWaiterService, on_done: Callable[[str], None]
    ) -> None:
        self._codec, self._waiters, self._on_done = codec, waiters, on_done
        self._come: queue.SimpleQueue[tuple[str, Sequence[Come]] | None] = queue.SimpleQueue()
        #: Frames for the other thread, and those that it has done with: each counted by one thread.
        self._queued = self._attended = 0

    def put(self, worker: str, come: Sequence[Come]) -> None:
        """Take what has come from a worker in one frame. The hub's thread; never waits."""
        said = [each.said for each in come if each.said is not None]
        if self._queued == self._attended and self._codec.reads_at_once(said):
            for each in come:
                self._pass_on(worker, each)
        else:
            self._queued += 1
            self._come.put((worker, come))

    def attend(self) -> None:
        """Pass on what comes, in its order, until :meth:`leave`; a thread of its own."""
        while (frame := self._come.get()) is not None:
            worker, come = frame
            for each in come:
                self._pass_on(worker, each)
            self._attended += 1

    def leave(self) -> None:
        """Have :meth:`attend` return behind what has come so far."""
        self._come.put(None)

    def _pass_on(self, worker: str, come: Come) -> None:
        waiter, said, group, done = come
        answer = self._codec.read(said, waiter.asked_as) if said is not None else None
        if done:
            self._on_done(done)  # first: whoever is woken may ask for more at once
        if answer is not None:
            self._waiters.settle(waiter, terminal_of(answer, group, worker))

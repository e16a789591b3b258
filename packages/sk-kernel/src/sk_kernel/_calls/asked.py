"""Calling a node for requests: a failure fails only its own request."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sk_kernel._batch.batch import Batch, Rows
from sk_kernel._calls.awaited_times import AwaitedTimes
from sk_kernel._calls.batch_call import BatchRaisedError
from sk_kernel._calls.dropped import NOT_CALLED, Dropped
from sk_kernel._calls.guarded import GuardedCall, kept
from sk_kernel._graph.graph import Edge
from sk_kernel._guard.ends import ENDS
from sk_kernel._record.envelope import Key
from sk_kernel.errors import NodeOutputError, RequestExpiredError

if TYPE_CHECKING:
    import asyncio


class AskedCall(GuardedCall):
    """A :class:`GuardedCall` on the records of a :class:`RequestBatch`, under any policy.

    Under the policy ``fail``, an exception of the node fails the record's request; an output that
    is not as declared does so under every policy. The node is not called on a record whose request
    has failed: :data:`NOT_CALLED` replaces its output.
    """

    #: Limits the coroutines of all requests together; created once the loop runs.
    _slots: asyncio.Semaphore | None = None

    def call_one(self, batch: Batch, key: Key, item: Any, edge: Edge) -> Any:
        """See the base; the span of a record that is given up has the error of the last attempt."""
        if batch.is_over(key):
            return NOT_CALLED
        return super().call_one(batch, key, item, edge)

    def give_up(self, batch: Batch, key: Key, item: Any, error: BaseException) -> Dropped | None:
        """Give a record up; under the policy ``fail``, or on ``sys.exit``, fail its request."""
        if self._failure.policy != "fail" and not isinstance(error, ENDS):
            return super().give_up(batch, key, item, error)
        return self._blame(batch, key, error)

    async def awaited(self, batch: Batch, rows: Rows) -> tuple[Sequence[Key], list[Any]]:
        """:meth:`call_kept` of a coroutine node, while other requests are in progress."""
        traced = self._tracer.rows(rows.keys, batch.sampled) if self._tracer else ()
        if not traced:
            return kept(rows.keys, await self._await_separately(batch, rows.keys, rows.items, None))
        assert self._tracer is not None  # noqa: S101 - else nothing is traced
        times = AwaitedTimes(traced)
        try:
            return kept(
                rows.keys, await self._await_separately(batch, rows.keys, rows.items, times)
            )
        finally:
            times.tell(self._tracer, batch, rows)

    def _call_process_batch(self, batch: Batch, items: Sequence[Any]) -> list[Any]:
        try:
            return super()._call_process_batch(batch, items)
        except NodeOutputError as wrong:
            raise BatchRaisedError(wrong) from wrong  # it does not show which request failed

    def _retry_individually(
        self, batch: Batch, raised: BatchRaisedError, each: Callable[[], list[Any]]
    ) -> list[Any]:
        before = self._raised
        outputs = each()
        if self._raised == before:
            self._warn(raised)  # no single request fails, so none is ended
        return outputs

    def _await_all(
        self,
        batch: Batch,
        keys: Sequence[Key],
        items: Sequence[Any],
        times: AwaitedTimes | None = None,
    ) -> list[Any]:
        return self._runner.run(self._await_separately(batch, keys, items, times))

    async def _await_separately(
        self,
        batch: Batch,
        keys: Sequence[Key],
        items: Sequence[Any],
        times: AwaitedTimes | None,
    ) -> list[Any]:
        from asyncio import CancelledError, Semaphore

        from sk_kernel._calls.coroutines import CONCURRENT_COROUTINES, apart, in_room

        dropped: dict[int, Dropped] = {}
        guarded = self._starter(batch, keys, items)
        if times is not None:
            guarded = times.of(guarded)  # one that is not started has no span

        async def start(index: int) -> Any:
            if batch.is_over(keys[index]):
                return NOT_CALLED
            output = await guarded(index)
            if type(output) is Dropped:
                dropped[index] = output
            return output

        def failed(index: int, cause: BaseException) -> Any:
            if not isinstance(cause, CancelledError):
                raise cause  # not the node's own, which the coroutine has handled
            # A node that has cancelled its own task runs on until it waits, or to its end.
            if index in dropped:
                return dropped[index]
            return self._give_up_awaited(batch, keys[index], items[index], cause)

        def due(index: int) -> float:
            return batch.due_of(keys[index])

        at_once = CONCURRENT_COROUTINES if self._independent else 1
        self._slots = self._slots or Semaphore(CONCURRENT_COROUTINES)
        begin = in_room(start, self._slots)
        return await apart(begin, len(keys), due, at_once, failed, batch.began)

    def _may_retry_awaited(
        self, batch: Batch, key: Key, attempt: int, error: BaseException
    ) -> bool:
        if _has_expired(batch, key):
            return False
        return super()._may_retry_awaited(batch, key, attempt, error)

    def _give_up_awaited(
        self, batch: Batch, key: Key, item: Any, error: BaseException
    ) -> Dropped | None:
        """See the base; if the caller's time is over, the request has expired."""
        if not _has_expired(batch, key):
            return self.give_up(batch, key, item, error)
        expired = RequestExpiredError(self.name)
        expired.__cause__ = error
        return self._blame(batch, key, expired)

    def _blame(self, batch: Batch, key: Key, error: BaseException) -> Dropped:
        self._dropped += 1
        failed = self._failed(error, key)
        failed.__cause__ = error
        batch.blame(failed)
        return Dropped(type(error).__name__)


def _has_expired(batch: Batch, key: Key) -> bool:
    due = batch.due_of(key)
    return due < math.inf and time.monotonic() >= due

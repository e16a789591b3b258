"""Calling a node for requests: what fails ends the request that it is of, and no other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sk_kernel._batch.batch import Batch, Rows
from sk_kernel._calls.awaited_times import AwaitedTimes
from sk_kernel._calls.batch_call import BatchRaisedError
from sk_kernel._calls.guarded import LOST, GuardedCall, kept
from sk_kernel._graph.graph import Edge
from sk_kernel._record.ends import ENDS
from sk_kernel._record.envelope import Key
from sk_kernel.errors import NodeOutputError, RequestExpiredError

if TYPE_CHECKING:
    import asyncio


class AskedCall(GuardedCall):
    """A :class:`GuardedCall` on the records of a :class:`RequestBatch`, under any policy.

    Under the policy ``fail`` a record that the node raises on ends its request, as what the node
    returns wrongly does under every one. For a record whose request has failed it returns
    :data:`LOST`, and the node is not called.
    """

    #: For the coroutines of all requests that pass by themselves; made where the loop runs.
    _room: asyncio.Semaphore | None = None

    def one(self, batch: Batch, key: Key, item: Any, edge: Edge) -> Any:
        """See the base; the span of a record that is given up has the error of the last attempt."""
        if batch.is_over(key):
            return LOST
        return super().one(batch, key, item, edge)

    def lose(self, batch: Batch, key: Key, item: Any, error: BaseException) -> bool:
        """Give a record up, or blame it where that is not for the node's policy."""
        if self._failure.policy != "fail" and not isinstance(error, ENDS):
            return super().lose(batch, key, item, error)
        self._blame(batch, key, error)
        return True

    async def awaited(self, batch: Batch, rows: Rows) -> tuple[Sequence[Key], list[Any]]:
        """:meth:`passed` of a coroutine node, while other requests are under way."""
        traced = self._tracer.rows(rows.keys, batch.sampled) if self._tracer else ()
        if not traced:
            return kept(rows.keys, await self._apart(batch, rows.keys, rows.items, None))
        assert self._tracer is not None  # noqa: S101 - else nothing is traced
        times = AwaitedTimes(traced, self._lost_by)
        try:
            return kept(rows.keys, await self._apart(batch, rows.keys, rows.items, times))
        finally:
            times.tell(self._tracer, batch, rows)

    def _together(self, batch: Batch, items: Sequence[Any]) -> list[Any]:
        try:
            return super()._together(batch, items)
        except NodeOutputError as wrong:
            raise BatchRaisedError(wrong) from wrong  # of whose request, it does not tell

    def _one_by_one(
        self, batch: Batch, raised: BatchRaisedError, each: Callable[[], list[Any]]
    ) -> list[Any]:
        before = self._raised
        outputs = each()
        if self._raised == before:
            self._warn(raised)  # what no request has done fails none
        return outputs

    def _await(
        self,
        batch: Batch,
        keys: Sequence[Key],
        items: Sequence[Any],
        times: AwaitedTimes | None = None,
    ) -> list[Any]:
        return self._runner.run(self._apart(batch, keys, items, times))

    async def _apart(
        self,
        batch: Batch,
        keys: Sequence[Key],
        items: Sequence[Any],
        times: AwaitedTimes | None,
    ) -> list[Any]:
        from asyncio import CancelledError, Semaphore

        from sk_kernel._calls.coroutines import CONCURRENT_COROUTINES, apart, in_room

        lost: set[int] = set()
        guarded = self._starter(batch, keys, items)

        async def start(index: int) -> Any:
            if batch.is_over(keys[index]):
                return LOST
            output = await guarded(index)
            if output is LOST:
                lost.add(index)
            return output

        def failed(index: int, cause: BaseException) -> Any:
            if not isinstance(cause, CancelledError):
                raise cause  # not the node's own, which the coroutine has seen to
            # A node that has cancelled its task goes on until it waits, or to its end.
            if index not in lost:
                self._lose_awaited(batch, keys[index], items[index], cause)
            return LOST

        def due(index: int) -> float:
            return batch.due_of(keys[index])

        at_once = CONCURRENT_COROUTINES if self._independent else 1
        self._room = self._room or Semaphore(CONCURRENT_COROUTINES)
        begin = in_room(start if times is None else times.of(start), self._room)
        return await apart(begin, len(keys), due, at_once, failed, batch.began)

    def _awaits_again(self, batch: Batch, key: Key, attempt: int, error: BaseException) -> bool:
        return not _has_expired(batch, key) and super()._awaits_again(batch, key, attempt, error)

    def _lose_awaited(self, batch: Batch, key: Key, item: Any, error: BaseException) -> None:
        """See the base; where nobody waits for the record any more, its request has expired."""
        if not _has_expired(batch, key):
            self.lose(batch, key, item, error)
            return
        expired = RequestExpiredError(self.name)
        expired.__cause__ = error
        self._blame(batch, key, expired)

    def _blame(self, batch: Batch, key: Key, error: BaseException) -> None:
        self._lost += 1
        self._cause = type(error).__name__
        failed = self._failed(error, key)
        failed.__cause__ = error
        batch.blame(failed)


def _has_expired(batch: Batch, key: Key) -> bool:
    due = batch.due_of(key)
    return due < math.inf and time.monotonic() >= due

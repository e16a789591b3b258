"""Calling a node whose policy gives a record up: the batch goes on without that record."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from sk_kernel._batch.batch import Batch, Rows
from sk_kernel._calls.awaited_times import AwaitedTimes
from sk_kernel._calls.batch_call import BatchRaisedError
from sk_kernel._calls.calls import NodeCall
from sk_kernel._calls.contexts import Identity, contexts_of
from sk_kernel._calls.dropped import NOT_CALLED, Dropped
from sk_kernel._calls.losses import Loss, Losses
from sk_kernel._declare.failure import NodeFailure
from sk_kernel._declare.specs import NodeSpec
from sk_kernel._guard.ends import ENDS
from sk_kernel._record.envelope import Key, root_of
from sk_kernel._trace.observe import Tracer
from sk_kernel.errors import DeadLetterError, NodeFailedError

if TYPE_CHECKING:
    import asyncio


class GuardedCall(NodeCall):
    """A :class:`NodeCall` under the policy ``dead_letter`` or ``skip``.

    A record that the node fails on is given up instead of ending the run: :class:`Dropped` replaces
    its output. The node is never called again on a record that it has returned an output for. An
    output that is not as declared is not a record's failure: it ends the run under every policy.
    """

    forgives: ClassVar[bool] = True

    def __init__(
        self,
        spec: NodeSpec,
        target: Any,
        identity: Identity,
        failure: NodeFailure,
        losses: Losses,
        tracer: Tracer | None = None,
        loop: asyncio.Runner | None = None,
        *,
        independent: bool = False,
    ) -> None:
        super().__init__(spec, target, identity, tracer, loop, independent=independent)
        self._failure, self._losses = failure, losses
        self._dropped = 0
        self._raised = 0  # records that it raised on, even if a later attempt succeeded
        self._has_warned = False

    def call_kept(self, batch: Batch, rows: Rows) -> tuple[Sequence[Key], list[Any]]:
        """See the base; without the records that were dropped."""
        before = self._dropped
        outputs = self.call_batch(batch, rows)
        return (rows.keys, outputs) if self._dropped == before else kept(rows.keys, outputs)

    def _call_one(self, batch: Batch, key: Key, item: Any) -> Any:
        return self._call_untraced(batch, (key,), (item,))[0]

    def give_up(self, batch: Batch, key: Key, item: Any, error: BaseException) -> Dropped | None:
        """Drop the record as the node's policy says: write a dead letter, or skip it."""
        self._dropped += 1
        cause = type(error).__name__
        batch.record_dropped(key, self.name, cause)
        known = batch.correlation(key)
        self._losses.take(Loss(self.name, self._failure, cause, key, item, known, error))
        if self._tracer is not None and root_of(key) not in batch.sampled:
            self._tracer.failed(batch, self.name, key, cause)
        return Dropped(cause)

    def _retry_individually(
        self, batch: Batch, raised: BatchRaisedError, each: Callable[[], list[Any]]
    ) -> list[Any]:
        before = self._raised
        outputs = each()
        if self._raised > before:
            return outputs
        # With several attempts, a record that failed once need not fail again.
        if self._failure.attempts == 1:
            raise raised.of(self.name) from raised.error
        self._warn(raised)
        return outputs

    def _warn(self, raised: BatchRaisedError) -> None:
        """Warn once that ``process_batch`` raised although no single record makes the node fail."""
        if self._has_warned:
            return
        self._has_warned = True
        from logging import getLogger

        cause = type(raised.error).__name__
        getLogger("sk_kernel").warning(
            "process_batch of %r raised %s where no call of a single record did: its records go one"
            " by one whenever it does (said once)",
            self.name,
            cause,
        )

    def _call_each(self, batch: Batch, keys: Sequence[Key], items: Sequence[Any]) -> list[Any]:
        call, arguments = (self.call, iter(items)) if self.plain else self._with(batch, keys, items)
        out: list[Any] = []
        while len(out) < len(items):
            try:
                for argument in arguments:
                    out.append(call(argument))
            except BaseException as error:
                if not batch.is_record_failure(error):
                    raise
                row = len(out)
                out.append(self._retry(batch, keys[row], items[row], error))
                while len(out) < len(items) and batch.is_over(keys[len(out)]):
                    next(arguments)
                    out.append(NOT_CALLED)
        return out

    def _with(
        self, batch: Batch, keys: Sequence[Key], items: Sequence[Any]
    ) -> tuple[Callable[[Any], Any], Iterator[Any]]:
        node, name = self.call, self.spec.context_parameter or ""
        contexts = contexts_of(batch, keys, self._identity, self.name)
        pairs = zip(contexts, items, strict=True)
        return lambda pair: node(pair[1], **{name: pair[0]}), iter(pairs)

    def _await_all(
        self,
        batch: Batch,
        keys: Sequence[Key],
        items: Sequence[Any],
        times: AwaitedTimes | None = None,
    ) -> list[Any]:
        try:
            return super()._await_all(batch, keys, items, times)
        except NodeFailedError as failure:
            if isinstance(failure.__cause__, DeadLetterError):  # not the node's own
                raise failure.__cause__ from None
            raise

    def _retry(self, batch: Batch, key: Key, item: Any, error: BaseException) -> Any:
        self._raised += 1
        attempt = 1
        while self._may_retry(attempt, error):
            attempt += 1
            try:
                return super()._call_each(batch, (key,), (item,))[0]
            except NodeFailedError as failure:
                error = failure.__cause__ or failure
            except BaseException as fault:
                if not batch.is_record_failure(fault):
                    raise
                error = fault
        return self.give_up(batch, key, item, error)

    def _may_retry(self, attempt: int, error: BaseException) -> bool:
        """Return whether another attempt follows this one."""
        return not isinstance(error, ENDS) and attempt < self._failure.attempts

    def _starter(
        self, batch: Batch, keys: Sequence[Key], items: Sequence[Any]
    ) -> Callable[[int], Coroutine[Any, Any, Any]]:
        from sk_kernel._calls.coroutines import to_its_end

        start = super()._starter(batch, keys, items)

        async def guarded(index: int) -> Any:
            attempt = 0
            while True:
                attempt += 1
                try:
                    return await to_its_end(start(index))
                except BaseException as error:
                    if not batch.is_record_failure(error):
                        raise
                    if not self._may_retry_awaited(batch, keys[index], attempt, error):
                        return self._give_up_awaited(batch, keys[index], items[index], error)

        return guarded

    def _may_retry_awaited(
        self, batch: Batch, key: Key, attempt: int, error: BaseException
    ) -> bool:
        """Return whether another attempt follows a coroutine that has raised."""
        return self._may_retry(attempt, error)

    def _give_up_awaited(
        self, batch: Batch, key: Key, item: Any, error: BaseException
    ) -> Dropped | None:
        """Give up a record whose coroutine has failed."""
        return self.give_up(batch, key, item, error)


def kept(keys: Sequence[Key], outputs: list[Any]) -> tuple[Sequence[Key], list[Any]]:
    """Return the keys and outputs of the records that were not dropped."""
    rows = [row for row, output in enumerate(outputs) if type(output) is not Dropped]
    if len(rows) == len(outputs):
        return keys, outputs
    return [keys[row] for row in rows], [outputs[row] for row in rows]

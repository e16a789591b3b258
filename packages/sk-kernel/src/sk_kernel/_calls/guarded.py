"""Calling a node that a record may be given up at: the batch goes on without that record."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sk_kernel._batch.batch import Batch, Rows
from sk_kernel._calls.awaited_times import AwaitedTimes
from sk_kernel._calls.batch_call import BatchRaisedError
from sk_kernel._calls.calls import NodeCall
from sk_kernel._calls.contexts import Identity, contexts_of
from sk_kernel._calls.losses import Loss, Losses
from sk_kernel._declare.failure import NodeFailure
from sk_kernel._declare.specs import NodeSpec
from sk_kernel._record.ends import ENDS
from sk_kernel._record.envelope import Key, root_of
from sk_kernel._trace.observe import Tracer
from sk_kernel.errors import DeadLetterError, NodeFailedError

if TYPE_CHECKING:
    import asyncio


class _Lost:
    """In the place of a return value that there is none of."""


LOST: Final = _Lost()


class GuardedCall(NodeCall):
    """A :class:`NodeCall` under the policy ``dead_letter`` or ``skip``.

    For a record that is given up it returns :data:`LOST`; it never calls the node on a record again
    that it has returned something for. What a node returns wrongly is no record's fault, and ends
    the run under every policy.
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
        self._cause: str | None = None
        self._lost = 0
        self._raised = 0  # records that it raised on, be it that a further attempt went well
        self._has_warned = False

    def passed(self, batch: Batch, rows: Rows) -> tuple[Sequence[Key], list[Any]]:
        """See the base; without what was given up."""
        before = self._lost
        outputs = self.map(batch, rows)
        return (rows.keys, outputs) if self._lost == before else kept(rows.keys, outputs)

    def _lost_by(self, output: Any) -> str | None:
        return self._cause if output is LOST else None

    def _single(self, batch: Batch, key: Key, item: Any) -> Any:
        return self._map(batch, (key,), (item,))[0]

    def lose(self, batch: Batch, key: Key, item: Any, error: BaseException) -> bool:
        """Give a record up, by the node's policy."""
        self._lost += 1
        self._cause = type(error).__name__
        batch.gave_up(key, self.name, self._cause)
        known = batch.correlation(key)
        self._losses.take(Loss(self.name, self._failure, self._cause, key, item, known, error))
        if self._tracer is not None and root_of(key) not in batch.sampled:
            self._tracer.failed(batch, self.name, key, self._cause)
        return True

    def _one_by_one(
        self, batch: Batch, raised: BatchRaisedError, each: Callable[[], list[Any]]
    ) -> list[Any]:
        before = self._raised
        outputs = each()
        if self._raised > before:
            return outputs
        # With further attempts what fails once need not fail again.
        if self._failure.attempts == 1:
            raise raised.of(self.name) from raised.error
        self._warn(raised)
        return outputs

    def _warn(self, raised: BatchRaisedError) -> None:
        """Say once that ``process_batch`` raised for no record's sake: else only its cost tells."""
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

    def _each(self, batch: Batch, keys: Sequence[Key], items: Sequence[Any]) -> list[Any]:
        call, arguments = (self.call, iter(items)) if self.plain else self._with(batch, keys, items)
        out: list[Any] = []
        while len(out) < len(items):
            try:
                for argument in arguments:
                    out.append(call(argument))
            except BaseException as error:
                if not batch.bears(error):
                    raise
                row = len(out)
                out.append(self._again(batch, keys[row], items[row], error))
                while len(out) < len(items) and batch.is_over(keys[len(out)]):
                    next(arguments)
                    out.append(LOST)
        return out

    def _with(
        self, batch: Batch, keys: Sequence[Key], items: Sequence[Any]
    ) -> tuple[Callable[[Any], Any], Iterator[Any]]:
        node, name = self.call, self.spec.context_parameter or ""
        contexts = contexts_of(batch, keys, self._identity, self.name)
        pairs = zip(contexts, items, strict=True)
        return lambda pair: node(pair[1], **{name: pair[0]}), iter(pairs)

    def _await(
        self,
        batch: Batch,
        keys: Sequence[Key],
        items: Sequence[Any],
        times: AwaitedTimes | None = None,
    ) -> list[Any]:
        try:
            return super()._await(batch, keys, items, times)
        except NodeFailedError as failure:
            if isinstance(failure.__cause__, DeadLetterError):  # not the node's own
                raise failure.__cause__ from None
            raise

    def _again(self, batch: Batch, key: Key, item: Any, error: BaseException) -> Any:
        self._raised += 1
        attempt = 1
        while self._tries(attempt, error):
            attempt += 1
            try:
                return super()._each(batch, (key,), (item,))[0]
            except NodeFailedError as failure:
                error = failure.__cause__ or failure
            except BaseException as fault:
                if not batch.bears(fault):
                    raise
                error = fault
        self.lose(batch, key, item, error)
        return LOST

    def _tries(self, attempt: int, error: BaseException) -> bool:
        """Whether there is another attempt behind this one."""
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
                    if not batch.bears(error):
                        raise
                    if not self._awaits_again(batch, keys[index], attempt, error):
                        self._lose_awaited(batch, keys[index], items[index], error)
                        return LOST

        return guarded

    def _awaits_again(self, batch: Batch, key: Key, attempt: int, error: BaseException) -> bool:
        """Whether a coroutine that has raised is begun anew."""
        return self._tries(attempt, error)

    def _lose_awaited(self, batch: Batch, key: Key, item: Any, error: BaseException) -> None:
        """Give up a record whose coroutine has failed."""
        self.lose(batch, key, item, error)


def kept(keys: Sequence[Key], outputs: list[Any]) -> tuple[Sequence[Key], list[Any]]:
    """What there is an output of, and the outputs."""
    rows = [row for row, output in enumerate(outputs) if output is not LOST]
    if len(rows) == len(outputs):
        return keys, outputs
    return [keys[row] for row in rows], [outputs[row] for row in rows]

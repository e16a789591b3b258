"""Calling a node on the records of a batch, and attributing its failures to records."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from operator import length_hint
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sk_kernel._batch.batch import Batch, Rows
from sk_kernel._calls.awaited_times import AwaitedTimes
from sk_kernel._calls.batch_call import BatchCall, BatchRaisedError
from sk_kernel._calls.collecting import collected, collecting
from sk_kernel._calls.contexts import Identity, contexts_of
from sk_kernel._calls.dropped import Dropped, drop_cause
from sk_kernel._calls.watched_calls import WatchedCalls
from sk_kernel._declare.specs import NodeSpec
from sk_kernel._graph.graph import Edge
from sk_kernel._guard.ends import ENDS
from sk_kernel._record.envelope import Key, root_of
from sk_kernel._trace.observe import Tracer
from sk_kernel.errors import NodeFailedError

if TYPE_CHECKING:  # its import is expensive, and few applications have coroutines
    import asyncio


#: For fewer payloads, ``__call__`` is as good as ``process_batch``.
_SEVERAL: Final = 2


class NodeCall:
    """One node of this process, ready to be called on the records of a batch.

    ``forgives`` is true if the node's policy may give a record up.

    :param target: the node's function with its dependencies bound, or its instance.
    :param independent: whether its calls share no state: then its coroutines may overlap, and its
        ``process_batch``, if it has one, is used.
    """

    forgives: ClassVar[bool] = False

    def __init__(
        self,
        spec: NodeSpec,
        target: Any,
        identity: Identity,
        tracer: Tracer | None = None,
        loop: asyncio.Runner | None = None,
        *,
        independent: bool = False,
    ) -> None:
        self.spec, self.name = spec, spec.name
        # Calling a bound method is faster than calling an instance.
        self.call: Callable[..., Any] = target.__call__ if spec.is_class else target
        if spec.emits.many:
            self.call = collecting(self.call, is_async=spec.is_async)
        self.plain = not spec.is_async and spec.context_parameter is None
        self._target, self._identity, self._tracer, self._loop = target, identity, tracer, loop
        self._independent = independent
        self._process_batch: BatchCall | None = None
        # An object that replaces a node to observe its calls may lack the method.
        process = getattr(target, "process_batch", None) if spec.processes_batches else None
        if process is not None and independent:
            self._process_batch = BatchCall(self.name, process)

    @property
    def tracer(self) -> Tracer | None:
        """The tracer that notes the calls on sampled records; None if the run traces nothing."""
        return self._tracer

    def call_batch(self, batch: Batch, rows: Rows) -> list[Any]:
        """Call the node on each record, and return its outputs in order.

        Sampling does not change how the node is called: neither how many payloads its
        ``process_batch`` gets, nor which of its coroutines overlap.

        :raises NodeFailedError: when the node raised; names the record.
        """
        traced = self._tracer.rows(rows.keys, batch.sampled) if self._tracer else ()
        if not traced:
            return self._call_untraced(batch, rows.keys, rows.items)
        if self.spec.is_async:
            return self._await_traced(batch, rows, traced)
        if self._uses_process_batch(rows.items):
            return self._call_process_batch_traced(batch, rows, traced)
        return self._call_each_traced(batch, rows, traced)

    def call_kept(self, batch: Batch, rows: Rows) -> tuple[Sequence[Key], list[Any]]:
        """Call the node on each record, and return the keys and outputs of those not dropped.

        :raises NodeFailedError: when the node raised; names the record.
        """
        return rows.keys, self.call_batch(batch, rows)

    def give_up(self, batch: Batch, key: Key, item: Any, error: BaseException) -> Dropped | None:
        """Give up a record that the node raised on; None if the node's policy is ``fail``."""
        return None

    def call_one(self, batch: Batch, key: Key, item: Any, edge: Edge) -> Any:
        """Call the node on one record; note its span if the record is sampled."""
        if self._tracer is None or root_of(key) not in batch.sampled:
            return self._call_untraced(batch, (key,), (item,))[0]
        start = time.time_ns()
        cause: str | None = None
        try:
            output = self._call_one(batch, key, item)
            cause = drop_cause(output)
            return output
        except NodeFailedError as failure:
            cause = failure.cause_type
            raise
        except BaseException as error:  # sys.exit(), which ends the process
            cause = type(error).__name__
            raise
        finally:
            self._tracer.ran(batch, edge, key, (start, time.time_ns()), cause)

    def _call_one(self, batch: Batch, key: Key, item: Any) -> Any:
        if not self.plain:
            return self._call_untraced(batch, (key,), (item,))[0]
        try:
            return self.call(item)
        except ENDS:
            raise
        except BaseException as error:
            raise self._failed(error, key) from error

    def finish(self) -> Any:
        """Call the node's ``finish()``, and return its output."""
        try:
            output = self._target.finish()
            if self.spec.finish_is_async:
                output = self._runner.run(output)
            many = self.spec.finish is not None and self.spec.finish.many
            return collected(output) if many else output
        except ENDS:
            raise
        except BaseException as error:
            raise NodeFailedError(self.name, type(error).__name__) from error

    def _call_untraced(self, batch: Batch, keys: Sequence[Key], items: Sequence[Any]) -> list[Any]:
        if self.spec.is_async:
            return self._await_all(batch, keys, items) if items else []
        if not self._uses_process_batch(items):
            return self._call_each(batch, keys, items)
        try:
            return self._call_process_batch(batch, items)
        except BatchRaisedError as raised:
            return self._attribute_failure(
                batch, raised, partial(self._call_each, batch, keys, items)
            )

    def _uses_process_batch(self, items: Sequence[Any]) -> bool:
        return self._process_batch is not None and len(items) >= _SEVERAL

    def _call_process_batch(self, batch: Batch, items: Sequence[Any]) -> list[Any]:
        """Call ``process_batch``.

        :raises BatchRaisedError: when it raised.
        :raises NodeOutputError: when it returned no list, or one of another length.
        """
        assert self._process_batch is not None  # noqa: S101 - the caller has checked
        return self._process_batch(items)

    def _attribute_failure(
        self, batch: Batch, raised: BatchRaisedError, each: Callable[[], list[Any]]
    ) -> list[Any]:
        """After ``process_batch`` raised, call the node on each record by means of ``each``."""
        if not batch.is_record_failure(raised.error):
            raise raised.error from None
        return self._retry_individually(batch, raised, each)

    def _retry_individually(
        self, batch: Batch, raised: BatchRaisedError, each: Callable[[], list[Any]]
    ) -> list[Any]:
        """Find the record that the node fails on; if there is none, the batch has failed."""
        each()
        raise raised.of(self.name) from raised.error

    def _call_each(self, batch: Batch, keys: Sequence[Key], items: Sequence[Any]) -> list[Any]:
        call, rest = self.call, iter(items)
        try:
            if self.plain:
                return [call(x) for x in rest]
            name = self.spec.context_parameter or ""
            contexts = contexts_of(batch, keys, self._identity, self.name)
            return [call(x, **{name: c}) for c, x in zip(contexts, rest, strict=True)]
        except ENDS:
            raise
        except BaseException as error:
            # Whatever the node raises; the position in the iterator shows the record.
            index = len(items) - length_hint(rest) - 1
            raise self._failed(error, keys[max(index, 0)]) from error

    def _call_process_batch_traced(
        self, batch: Batch, rows: Rows, traced: Sequence[int]
    ) -> list[Any]:
        """Call ``process_batch``; the span of each sampled record has the times of that call."""
        assert self._tracer is not None  # noqa: S101 - the caller has checked
        start = time.time_ns()
        try:
            outputs = self._call_process_batch(batch, rows.items)
        except BatchRaisedError as raised:
            return self._attribute_failure(
                batch, raised, partial(self._call_each_traced, batch, rows, traced)
            )
        times = [start] * len(traced), [time.time_ns()] * len(traced)
        self._tracer.ran_on(batch, rows, *times)
        return outputs

    def _call_each_traced(self, batch: Batch, rows: Rows, traced: Sequence[int]) -> list[Any]:
        """Call the node on each record; read the clock before and after those of sampled ones."""
        assert self._tracer is not None  # noqa: S101 - the caller has checked
        if self.plain and not self.forgives:
            return WatchedCalls(self.name, self.call, self._tracer, batch, rows, traced).outputs()
        keys, items = rows.keys, rows.items
        out: list[Any] = []
        done = 0
        for row in traced:
            out += self._call_each(batch, keys[done:row], items[done:row])
            out.append(self.call_one(batch, keys[row], items[row], rows.edge(row)))
            done = row + 1
        return out + self._call_each(batch, keys[done:], items[done:])

    def _await_traced(self, batch: Batch, rows: Rows, traced: Sequence[int]) -> list[Any]:
        """Run the coroutines as without spans; those of sampled records read the clock."""
        assert self._tracer is not None  # noqa: S101 - the caller has checked
        times = AwaitedTimes(traced)
        try:
            return self._await_all(batch, rows.keys, rows.items, times)
        finally:
            times.tell(self._tracer, batch, rows)

    def _failed(self, error: BaseException | None, key: Key) -> NodeFailedError:
        return NodeFailedError(self.name, type(error).__name__, root_of(key)).about(key)

    def _await_all(
        self,
        batch: Batch,
        keys: Sequence[Key],
        items: Sequence[Any],
        times: AwaitedTimes | None = None,
    ) -> list[Any]:
        from asyncio import CancelledError

        from sk_kernel._calls.coroutines import CoroutineFailedError, in_turn, side_by_side

        start = self._starter(batch, keys, items)
        if times is not None:
            start = times.of(start)
        together = side_by_side if self._independent else in_turn
        try:
            return self._runner.run(together(start, len(items)))
        except CoroutineFailedError as failed:
            cause = failed.__cause__
            raise self._failed(cause, keys[failed.index]) from cause
        except CancelledError as error:  # it may be any task's, and so is no one record's failure
            raise NodeFailedError(self.name, type(error).__name__) from error

    def _starter(
        self, batch: Batch, keys: Sequence[Key], items: Sequence[Any]
    ) -> Callable[[int], Coroutine[Any, Any, Any]]:
        named = self.spec.context_parameter
        contexts = list(contexts_of(batch, keys, self._identity, self.name)) if named else []

        def start(index: int) -> Any:
            extra = {named: contexts[index]} if named else {}
            return self.call(items[index], **extra)

        return start

    @property
    def _runner(self) -> asyncio.Runner:
        assert self._loop is not None  # noqa: S101 - made with the first coroutine node
        return self._loop

"""A batch of requests' records: the failure of one fails only its own request."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import ClassVar

from msgspec import field

from sk_kernel._batch.batch import Batch, Column
from sk_kernel._record.envelope import Key, root_of
from sk_kernel.errors import RunError


class RequestBatch(Batch):
    """Records of any number of requests.

    A request is identified by the root of its records' keys (:func:`root_of`); ``first`` and
    ``last`` are the smallest and the largest. By request:

    - ``failed``: the error that ended it; none of its records is run any further.
    - ``dropped``: the node and the type of the exception of its first record that a policy gave up.
    - ``due``: when its caller stops waiting, in seconds by ``time.monotonic``.

    ``cancel`` cancels the coroutines that were started last, if they are still running.
    """

    #: ``sys.exit`` is a request's failure, too, and ends no process.
    fatal_exceptions: ClassVar[tuple[type[BaseException], ...]] = (KeyboardInterrupt,)

    failed: dict[int, RunError] = field(default_factory=dict)
    dropped: dict[int, tuple[str, str]] = field(default_factory=dict)
    due: dict[int, float] = field(default_factory=dict)
    cancel: Callable[[], object] | None = None

    @property
    def blamed(self) -> Iterable[RunError]:
        """The error of each request that has failed."""
        return self.failed.values()

    def blame(self, error: RunError) -> None:
        """Take a record's failure, which ends its request; of several, keep the first by key."""
        key = error.record
        assert key is not None  # noqa: S101 - a record's failure has its key
        earlier = self.failed.get(root_of(key))
        if earlier is None or key < earlier.record:  # type: ignore[operator]
            self.failed[root_of(key)] = error

    def record_dropped(self, key: Key, node: str, cause: str) -> None:
        """See the base; the first of each request is kept."""
        self.dropped.setdefault(root_of(key), (node, cause))

    def is_over(self, key: Key) -> bool:
        """See the base."""
        return root_of(key) in self.failed

    def due_of(self, key: Key) -> float:
        """See the base."""
        return self.due.get(root_of(key), math.inf)

    def began(self, cancel: Callable[[], object]) -> None:
        """See the base."""
        self.cancel = cancel  # set before they are asked when they are due

    def expire(self) -> None:
        """Treat all requests as expired, and cancel their waiting coroutines. Any thread."""
        self.due.update(dict.fromkeys(self.due, -math.inf))
        if self.cancel is not None:
            with suppress(RuntimeError):  # the loop is closed already
                self.cancel()

    def without_failed(self, columns: list[Column]) -> list[Column]:
        """See the base."""
        if not self.failed:
            return columns
        return [kept for column in columns if (kept := self._kept_rows(column)).keys]

    def failures_are_independent(self, keys: Sequence[Key]) -> bool:
        """See the base: true if each belongs to a different request."""
        return isinstance(keys[0], int) or len({root_of(key) for key in keys}) == len(keys)

    def _kept_rows(self, column: Column) -> Column:
        rows = [row for row, key in enumerate(column.keys) if root_of(key) not in self.failed]
        if len(rows) == len(column.keys):
            return column
        keys, items = column.keys, column.items
        return Column(column.edge, [keys[row] for row in rows], [items[row] for row in rows])

"""Records of requests that run together: what one of them does ends its request, and no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from msgspec import field

from sk_kernel._batch import Batch, Column
from sk_kernel._envelope import Key, root_of
from sk_kernel.errors import RunError


class AskedBatch(Batch):
    """Records of any number of requests, ``first`` and ``last`` being the least and largest root.

    ``failed`` holds what has ended a request, by the root of its keys: nothing of that is run any
    further. ``let_go`` holds node and cause of the first record that a request lost by a policy.
    """

    asked: ClassVar[bool] = True

    failed: dict[int, RunError] = field(default_factory=dict)
    let_go: dict[int, tuple[str, str]] = field(default_factory=dict)

    @property
    def blamed(self) -> Iterable[RunError]:
        """What has ended requests."""
        return self.failed.values()

    def bears(self, error: BaseException) -> bool:
        """See the base: a request may ask for no more than its own end, by ``sys.exit`` say."""
        return not isinstance(error, KeyboardInterrupt)

    def blame(self, error: RunError) -> None:
        """A record did this: its request ends, of several of it with the first one's error."""
        key = error.record
        assert key is not None  # noqa: S101 - what is a record's names it
        earlier = self.failed.get(root_of(key))
        if earlier is None or key < earlier.record:  # type: ignore[operator]
            self.failed[root_of(key)] = error

    def gave_up(self, key: Key, node: str, cause: str) -> None:
        """See the base."""
        self.let_go.setdefault(root_of(key), (node, cause))

    def is_over(self, key: Key) -> bool:
        """See the base."""
        return root_of(key) in self.failed

    def going(self, columns: list[Column]) -> list[Column]:
        """See the base."""
        if not self.failed:
            return columns
        return [kept for column in columns if (kept := self._without_failed(column)).keys]

    def are_apart(self, keys: Sequence[Key]) -> bool:
        """See the base: none is of the request of another one."""
        return isinstance(keys[0], int) or len({root_of(key) for key in keys}) == len(keys)

    def _without_failed(self, column: Column) -> Column:
        rows = [row for row, key in enumerate(column.keys) if root_of(key) not in self.failed]
        if len(rows) == len(column.keys):
            return column
        keys, items = column.keys, column.items
        return Column(column.edge, [keys[row] for row in rows], [items[row] for row in rows])

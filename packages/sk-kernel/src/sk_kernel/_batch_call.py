"""A node's ``process_batch``: many payloads in one call, held to what it promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sk_kernel.errors import NodeFailedError, NodeOutputError


class BatchCall:
    """``process_batch`` of one node.

    :param process: the method, bound.
    """

    def __init__(self, node: str, process: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        self._node, self._process = node, process

    def __call__(self, items: Sequence[Any]) -> list[Any]:
        """What the node returns for each of the items, in order.

        :raises BatchRaisedError: when the node's own code raised.
        :raises NodeOutputError: when it returned something for more or fewer than it was given.
        """
        count = len(items)  # of a list that the node may have changed
        try:
            outputs = list(self._process(tuple(items)))
        except BaseException as error:
            raise BatchRaisedError(error) from error
        if len(outputs) != count:
            got = f"{len(outputs)} of process_batch for {count} payloads"
            raise NodeOutputError(self._node, got, "")
        return outputs


class BatchRaisedError(Exception):
    """``process_batch`` raised ``error``: of which record that is, it does not tell."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__(type(error).__name__)

    def of(self, node: str) -> NodeFailedError:
        """The node's failure, where each of the payloads alone went through ``__call__``."""
        return NodeFailedError(node, f"{type(self.error).__name__} in process_batch")


def without(items: Sequence[Any], rows: Sequence[int]) -> list[Any]:
    """The items that are in none of these rows, which ascend."""
    rest: list[Any] = []
    done = 0
    for row in rows:
        rest += items[done:row]
        done = row + 1
    rest += items[done:]
    return rest


def woven(rest: Sequence[Any], own: Sequence[Any], rows: Sequence[int]) -> list[Any]:
    """What :func:`without` has taken apart: ``own`` are the items of the rows."""
    items: list[Any] = []
    done = 0
    for before, row in enumerate(rows):
        items += rest[done : row - before]
        items.append(own[before])
        done = row - before
    items += rest[done:]
    return items

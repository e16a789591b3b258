"""A node's ``process_batch``: many payloads in one call, with its result checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sk_kernel._calls.collecting import collected
from sk_kernel.errors import NodeFailedError, NodeOutputError


class BatchCall:
    """``process_batch`` of one node.

    :param process: the bound method.
    """

    def __init__(self, node: str, process: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        self._node, self._process = node, process

    def __call__(self, items: Sequence[Any]) -> list[Any]:
        """Return the node's output for each of the items, in order.

        :raises BatchRaisedError: when the node's own code raised.
        :raises NodeOutputError: when it returned no list, or one of another length than ``items``.
        """
        try:
            outputs = collected(self._process(list(items)))  # a copy, which the node may change
        except BaseException as error:
            raise BatchRaisedError(error) from error
        if not isinstance(outputs, list | tuple):
            got = f"{type(outputs).__qualname__} from process_batch"
            raise NodeOutputError(self._node, got, "a list, one for each payload")
        if len(outputs) != len(items):
            one = "result" if len(outputs) == 1 else "results"
            got = f"{len(outputs)} {one} from process_batch for {len(items)} payloads"
            raise NodeOutputError(self._node, got, "")
        return list(outputs)


class BatchRaisedError(Exception):
    """``process_batch`` raised ``error``, which does not show the record that caused it."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__(type(error).__name__)

    def of(self, node: str) -> NodeFailedError:
        """Return the node's failure, if ``__call__`` succeeded on each of the payloads."""
        return NodeFailedError(node, f"{type(self.error).__name__} in process_batch")

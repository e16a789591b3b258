"""A node's ``process_batch``: many payloads in one call, held to what it promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sk_kernel._calls.collecting import collected
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
        :raises NodeOutputError: when it returned no list, or one of another length than ``items``.
        """
        try:
            outputs = collected(
                self._process(list(items))
            )  # a list of its own, to do with as it likes
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
    """``process_batch`` raised ``error``: of which record that is, it does not tell."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__(type(error).__name__)

    def of(self, node: str) -> NodeFailedError:
        """The node's failure, where each of the payloads alone went through ``__call__``."""
        return NodeFailedError(node, f"{type(self.error).__name__} in process_batch")

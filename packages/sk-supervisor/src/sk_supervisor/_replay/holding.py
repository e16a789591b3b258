"""Nodes that keep a record for their ``finish()``, which a replay does not call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sk_kernel.runtime import ApplicationContext, Container, Loss


class HeldForFinishError(Exception):
    """Raised in place of a node with ``finish()`` that returned nothing for a record.

    ``surely`` means that its ``__call__`` never returns anything, so that the record cannot be in
    any output. Another node may emit it with a later record; then a second replay would repeat it.
    """

    def __init__(self, *, surely: bool) -> None:
        super().__init__()
        self.surely = surely


class HoldingApplication(ApplicationContext):
    """An application in which a held record counts as lost, since no node finishes.

    Whether a node with ``finish()`` that returns nothing holds the record or has dropped it cannot
    be known. If it returns anything, the record counts as processed.
    """

    def make_node(self, name: str, container: Container) -> Any:
        """See the base; a node with ``finish()`` is wrapped to raise HeldForFinishError."""
        made = super().make_node(name, container)
        node = self.graph.nodes[name]
        if node.finish is None:
            return made
        kind = _AsyncHolding if node.is_async else _Holding
        return kind(made, surely=not node.emits.types)


def is_held(loss: Loss) -> bool:
    """Whether the node did not fail, but may still hold the record."""
    return isinstance(loss.error, HeldForFinishError)


def remains(loss: Loss) -> bool:
    """Whether the record must be replayed again: it failed, or is surely in no output."""
    return not isinstance(loss.error, HeldForFinishError) or loss.error.surely


class _Holding:
    def __init__(self, node: Any, *, surely: bool) -> None:
        self._node, self._surely = node, surely

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._something(self._node(*arguments, **named))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    def _something(self, output: Any) -> Any:
        output = list(output) if isinstance(output, Iterator) else output
        if output is None or (type(output) in (list, tuple) and not output):
            raise HeldForFinishError(surely=self._surely)
        return output


class _AsyncHolding(_Holding):
    async def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._something(await self._node(*arguments, **named))

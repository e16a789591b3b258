"""Nodes in a replay that keep a record for their ``finish()``, which does not come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sk_kernel.runtime import ApplicationContext, Container, Loss


class HeldForFinishError(Exception):
    """What a node that finishes is made to raise on a record that it has given nothing for.

    ``surely`` says that its ``__call__`` never gives anything: so what it was given is in no
    output. Any other may give it behind a later record, and a second replay would give it again.
    """

    def __init__(self, *, surely: bool) -> None:
        super().__init__()
        self.surely = surely


class HoldingApplication(ApplicationContext):
    """An application in which a record that is held counts as lost, since no node finishes.

    Whether a node holds a record, or has dropped it, cannot be told. Of one that has given
    something for it the record is taken to be through.
    """

    def make_node(self, name: str, container: Container) -> Any:
        """See the base; of a node that finishes, something that says so where it gives nothing."""
        made = super().make_node(name, container)
        node = self.graph.nodes[name]
        if node.finish is None:
            return made
        kind = _AsyncHolding if node.is_async else _Holding
        return kind(made, surely=not node.emits.types)


def is_held(loss: Loss) -> bool:
    """Whether nothing has failed: the node has the record, and may have it still."""
    return isinstance(loss.error, HeldForFinishError)


def remains(loss: Loss) -> bool:
    """Whether the record is to be replayed again: it failed, or is in no output for sure."""
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

"""The event loop of a run in this process, where it has coroutine nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sk_kernel.runtime import Graph, needs_loop

if TYPE_CHECKING:
    import asyncio


@contextmanager
def loop_for(graph: Graph) -> Iterator[asyncio.Runner | None]:
    """A loop for as long as it lasts; None where no node needs one."""
    if not needs_loop(graph, graph.order):
        yield None
        return
    import asyncio

    with asyncio.Runner() as loop:
        yield loop

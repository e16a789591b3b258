"""The position of a worker's main thread: the node, and the line of the application's code."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from types import CodeType, FrameType
from typing import Any, Final

from sk_kernel.runtime import SINK, SOURCE, Graph, last_place

#: Modules whose frames are not the application's, besides those of Python itself: a worker's main
#: module belongs to the runtime, too, and the loop that a chain of nodes is compiled to has none.
_OURS: Final = frozenset({"", "__main__", "sk_kernel", "sk_supervisor", "sk_transport"})


class MainThreadPosition:
    """Finds the position of the main thread, from any thread, without stopping it.

    :param names: the application's nodes and adapters, by their code.
    :param loop: runs the nodes that are coroutines, if there are any: of these the first that waits
        is reported.
    """

    def __init__(self, names: Mapping[CodeType, str], loop: asyncio.Runner | None = None) -> None:
        self._names, self._loop = names, loop

    def __call__(self) -> str:
        """Return ``work (nodes.py, line 3)``; empty if none of the application's code runs."""
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        stack = _stack(frame)
        own = _own(stack)
        if not own and self._loop is not None and any(map(_is_asyncio, stack)):
            own = next(filter(None, map(_own, _waiting(self._loop))), [])
        if not own:
            return ""
        names = (self._names[f.f_code] for f, _ in own if f.f_code in self._names)
        name = next(names, own[0][0].f_code.co_qualname)
        return f"{name} ({last_place([(f.f_code.co_filename, line) for f, line in own])})"


def codes_of(graph: Graph, vertices: Iterable[str]) -> dict[CodeType, str]:
    """Return the names of these nodes and adapters, by their code."""
    targets = {name: spec.target for name, spec in graph.nodes.items()}
    targets |= {SOURCE: graph.source.target, SINK: graph.sink.target}
    return {code: name for name in vertices for code in _codes(targets[name])}


def _codes(target: Any) -> Iterator[CodeType]:
    """Yield the code of a function, without its wrappers, or of every method of a class."""
    members = [target]
    if isinstance(target, type):
        members = [each for cls in target.__mro__[:-1] for each in vars(cls).values()]
    for member in members:
        with suppress(ValueError):  # its wrappers form a circle
            code = getattr(inspect.unwrap(member), "__code__", None)
            if isinstance(code, CodeType):
                yield code


def _stack(frame: FrameType | None) -> list[tuple[FrameType, int]]:
    """Return the frames from the outermost one on, each with its line."""
    stack = []
    while frame is not None:
        stack.append((frame, frame.f_lineno or 0))
        frame = frame.f_back
    return stack[::-1]


def _own(stack: list[tuple[FrameType, int]]) -> list[tuple[FrameType, int]]:
    """Return the frames from the first one of the application on."""
    for number, (frame, _) in enumerate(stack):
        root = _module(frame).partition(".")[0]
        if root not in _OURS and root not in sys.stdlib_module_names:
            return stack[number:]
    return []


def _waiting(runner: asyncio.Runner) -> Iterator[list[tuple[FrameType, int]]]:
    """Yield the frames of each coroutine that waits."""
    # Not get_loop(): if the main thread is about to make the loop, this thread would make another.
    loop = vars(runner).get("_loop")
    for task in asyncio.all_tasks(loop) if loop is not None else ():
        awaited: Any = task.get_coro()
        stack = []
        while (frame := getattr(awaited, "cr_frame", None)) is not None:
            stack.append((frame, frame.f_lineno or 0))
            awaited = awaited.cr_await
        yield stack


def _is_asyncio(at: tuple[FrameType, int]) -> bool:
    return _module(at[0]).partition(".")[0] == "asyncio"


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))

"""An application that forks where it is told to, and a run of it: every process says what it does.

Run as a program, with the place, what the child does there, and the failure policy of the node.
It is a program of its own, so that no test is run twice where a child is not ended.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
from sk_kernel import (
    AdapterSettings,
    ApplicationSpec,
    FailureSpec,
    NodeFailure,
    node,
    sink,
    source,
    state,
)
from sk_kernel import service as provided
from sk_kernel.runtime import SOURCE, WHOLE, ApplicationContext, Edge, MemoryRun, Visit

PLACE, HOW, POLICY = cast("tuple[str, str, Any]", sys.argv[1:])
CODES: list[int] = []


class A(msgspec.Struct, frozen=True):
    n: int


class B(msgspec.Struct, frozen=True):
    n: int


class Seen(msgspec.Struct, frozen=True):
    n: int


class C(msgspec.Struct, frozen=True):
    n: int


def said(*words: str) -> None:
    os.write(1, "".join(f"{word}\n" for word in words).encode())


def fail() -> None:
    raise ValueError("mine")


CHILD: dict[str, Any] = {"exit": lambda: sys.exit(7), "fail": fail, "give": lambda: None}


def forks(place: str) -> None:
    if place != PLACE:
        return
    if HOW == "multiprocessing":
        process = multiprocessing.get_context("fork").Process(target=sys.exit, args=(7,))
        process.start()
        process.join()
        CODES.append(process.exitcode or 0)
        return
    pid = os.fork()
    if pid:
        CODES.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    else:
        CHILD[HOW]()


@source(name="numbers")
class Numbers:
    def __init__(self) -> None:
        forks("source")
        self._left = [A(1), A(2), A(3)]

    @classmethod
    def check(cls) -> None:
        forks("source's check")

    def read(self, max_records: int, max_bytes: int) -> list[A]:
        given, self._left = self._left, []
        if given:
            forks("read")
        return given

    def interrupt(self) -> None: ...

    def close(self) -> None:
        said("source closed")


@provided
class Client:
    def __init__(self) -> None:
        forks("service")

    @classmethod
    def check(cls) -> None:
        forks("service's check")

    def close(self) -> None:
        said("service closed")
        forks("service's close")


@provided
class Sender:
    async def close(self) -> None:
        aside = threading.current_thread() is not threading.main_thread()
        forks("coroutine close aside" if aside else "coroutine close")


@state(key=None)
class Last:
    def __init__(self) -> None:
        forks("state")


@node
def change(a: A, client: Client) -> B:
    if a.n == 2:
        forks("node")
    if a.n == 40:
        forks("request")
    return B(a.n)


@node
class See:
    def __init__(self, last: Last, sender: Sender) -> None:
        forks("node's own")

    @classmethod
    def states(cls) -> tuple[type, ...]:
        forks("node's states")
        return (Last,)

    def __call__(self, b: B) -> Seen:
        return Seen(b.n)


@node
async def later(seen: Seen) -> C:
    if seen.n == 2:
        forks("coroutine")
    return C(seen.n)


@sink(name="out")
class Out:
    def __init__(self) -> None:
        forks("sink")

    def write(self, chunk: Sequence[C]) -> None:
        said(*(f"written {c.n}" for c in chunk))
        forks("write")

    def commit(self) -> None:
        said("committed")
        forks("commit")

    def abort(self) -> None:
        said("aborted")

    def close(self) -> None:
        said("sink closed")
        forks("sink's close")


async def close_aside(context: ApplicationContext) -> None:
    """Close a service by its coroutine, which has a thread of its own beside this loop."""
    container = context.container()
    container.resolve(Sender)
    container.close()


def main() -> None:
    modules = ["__main__"]
    if PLACE == "module":
        Path("forking_module.py").write_text("import __main__\n__main__.forks('module')\n")
        sys.path.insert(0, ".")
        modules.append("forking_module")
    failure = NodeFailure(policy=POLICY, attempts=1 if POLICY == "fail" else 2)
    context = ApplicationContext(
        ApplicationSpec(
            scenario="forking",
            discovery_modules=modules,
            source=AdapterSettings("numbers"),
            sink=AdapterSettings("out"),
            failure=FailureSpec(nodes={"change": failure}, dead_letters="letters.jsonl"),
        )
    )

    if PLACE == "coroutine close aside":
        asyncio.run(close_aside(context))
    context.run_checks()

    def ask(run: MemoryRun) -> None:
        edge = Edge(SOURCE, context.graph.source.payload.types[0], "change", 0, 1)
        (answer,) = run.requests.run([Visit("r1", WHOLE, edge, -1, A(40))]).answers
        said(f"answered {answer.payload}")

    report = MemoryRun(context, "r", on_open=ask if PLACE == "request" else None).run()
    said(json.dumps([report.records_out, report.dead_lettered, CODES]))


main()

"""Preflight checks of an application's failure policies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from sk_kernel._application.preflight import one_of
from sk_kernel._declare.failure import FailureSpec
from sk_kernel._graph.entrances import only_asked
from sk_kernel._graph.graph import Graph
from sk_kernel._graph.units import state_units
from sk_kernel._letters.target import BESIDE, may_be_replaced, resolved_target
from sk_kernel._wire.portable import portability_faults
from sk_kernel.errors import DeadLetterError, Fault

_PATH = "runtime.failure"
_FILE = "a file in a folder that exists"


def failure_faults(
    failure: FailureSpec, graph: Graph, states_of: Mapping[str, Iterable[type]]
) -> list[Fault]:
    """Return the faults of the policies in ``failure`` for the nodes of a graph.

    :param states_of: the states of each node that has any.
    """
    unknown = failure.nodes.keys() - graph.nodes.keys()
    faults = [Fault(f"{_PATH}.nodes.{n}", "unknown_node", one_of(graph.nodes, n)) for n in unknown]
    faults += _repeated(failure, graph, states_of)
    dead = {name for name in graph.nodes if failure.of(name).policy == "dead_letter"}
    if failure.writes and failure.dead_letters is None:
        faults.append(
            Fault(f"{_PATH}.dead_letter.path", "missing", "a file for dead letters", "none")
        )
    fed = [(e.producer, e.payload) for e in graph.edges if e.consumer in dead]
    asked = [(name, payload) for name, payload in only_asked(graph) if name in dead]
    return faults + portability_faults(graph, [*fed, *asked])


def letter_file_faults(
    failure: FailureSpec, may: Callable[[str, int], bool] = os.access
) -> Iterator[Fault]:
    """Yield the faults of the dead letter file's path that can be found without writing.

    :param may: whether this process has the access to a path that the flags of
        :func:`os.access` name.
    """
    if not failure.writes or failure.dead_letters is None:
        return
    path = f"{_PATH}.dead_letter.path"
    try:
        target = resolved_target(failure.dead_letters)
    except DeadLetterError as error:
        yield Fault(path, "bad_value", _FILE, f"{error.what}: {error.problem}")
        return
    folder, name = os.path.split(target)
    if not os.path.isdir(folder):
        yield Fault(path, "bad_value", _FILE, target)
    elif not may(folder, os.W_OK | os.X_OK):
        yield Fault(path, "bad_value", "a file in a folder that can be written to", target)
    elif os.path.isdir(target):
        yield Fault(path, "bad_value", "a file", f"the folder {target}")
    elif (most := os.pathconf(folder, "PC_NAME_MAX") - BESIDE) < len(os.fsencode(name)):
        yield Fault(path, "bad_value", f"a file's name of at most {most} bytes", name)
    elif not may_be_replaced(target):
        yield Fault(path, "bad_value", "a file", f"{target}, a device, a pipe or a socket")


def _repeated(
    failure: FailureSpec, graph: Graph, states_of: Mapping[str, Iterable[type]]
) -> Iterator[Fault]:
    """Yield a fault for each node with several attempts in a state unit that holds a state.

    An attempt could change a state before it fails, and the next one would change it again.
    """
    for unit in state_units(graph, states_of):
        if not any(states_of.get(name) for name in unit):
            continue
        for name in unit:
            if failure.of(name).attempts == 1:
                continue
            where = f"nodes.{name}" if name in failure.nodes else "default"
            wanted = (
                f"1: {name} has a state, or is between two nodes that share one, so it is called"
                " once for each record"
            )
            if where == "default":
                wanted += f" (give it a policy of its own: {_PATH}.nodes.{name})"
            yield Fault(f"{_PATH}.{where}.attempts", "retry", wanted)

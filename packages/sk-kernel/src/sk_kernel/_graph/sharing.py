"""Decide whether several workers can share a segment, and by which key. Pure."""

from __future__ import annotations

import datetime
import types
import typing
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_type_hints

from sk_kernel._declare.specs import PayloadType
from sk_kernel._graph.graph import SINK, SOURCE, Edge, Graph
from sk_kernel.errors import Fault

#: Types whose equal values are encoded as the same bytes, unlike float: 1.0 and 1 are equal but
#: their bytes differ. Subclasses are excluded, since they may be encoded differently.
_KEY_TYPES = (str, bytes, bool, int, uuid.UUID, datetime.date, types.NoneType)


def segment_key(
    graph: Graph, vertices: Iterable[str], group: str, keys_of: Mapping[str, Iterable[str | None]]
) -> tuple[str | None, list[Fault]]:
    """Return the attribute by which a segment's records are partitioned, and the faults found.

    :param vertices: the vertices of the segment, which several workers are to run.
    :param keys_of: the keys of each node's states; None stands for a global state.
    """
    own = set(vertices)
    faults = [*_single(graph, own, group)]
    keys: dict[str, list[str]] = {}
    for name in (n for n in graph.order if n in own):
        for key in keys_of.get(name, ()):
            if key is None:
                wanted = (
                    f"workers: 1 for its group {group}, or a key for its state: it is global, and"
                    " every worker would have one of its own"
                )
                faults.append(Fault(name, "global_state", wanted, place=graph.place(name)))
            else:
                keys.setdefault(key, []).append(name)
    if len(keys) > 1:
        shown = " and ".join(f"{key} ({', '.join(names)})" for key, names in keys.items())
        wanted = f"one key for all states in group {group}, or workers: 1; there are {shown}"
        faults.append(Fault(group, "several_keys", wanted))
    if faults or not keys:
        return None, faults
    ((key, holders),) = keys.items()
    return key, [
        _keyless(edge, key, holders[0], problem)
        for edge in graph.edges
        # A payload needs the key when it enters the segment, and when it goes to a keyed state.
        if edge.consumer in own and (edge.producer not in own or edge.consumer in holders)
        if (problem := _key_problem(edge.payload, key))
    ]


def _single(graph: Graph, own: set[str], group: str) -> Iterable[Fault]:
    for vertex, what in ((SOURCE, "a source is read"), (SINK, "a sink is written")):
        if vertex in own:
            yield Fault(vertex, "not_shareable", f"workers: 1 for its group {group}: {what} by one")
    for name, node in graph.nodes.items():
        if name in own and node.finish is not None:
            wanted = (
                f"workers: 1 for its group {group}: what its finish() gives at the end would depend"
                " on the number of workers"
            )
            yield Fault(name, "not_shareable", wanted, place=graph.place(name))


def _keyless(edge: Edge, key: str, holder: str, problem: str) -> Fault:
    wanted = (
        f"{edge.payload.name} from {edge.producer} with {problem}: the state of {holder} is"
        f" partitioned by {key}; or workers: 1"
    )
    return Fault(edge.consumer, "no_key", wanted)


def _key_problem(payload: PayloadType, key: str) -> str:
    try:
        hints = get_type_hints(payload.cls)
    except (NameError, TypeError):
        hints = {}
    if key not in hints:
        return f"an annotated attribute {key!r}"
    if not _is_key(hints[key]):
        return f"an attribute {key!r} that is str, bytes, int, bool, UUID or date"
    return ""


def _is_key(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return all(_is_key(part) for part in get_args(annotation))
    if origin is typing.Annotated:
        return _is_key(get_args(annotation)[0])
    if origin is typing.Literal:
        return all(isinstance(value, _KEY_TYPES) for value in get_args(annotation))
    return annotation in _KEY_TYPES or annotation is None

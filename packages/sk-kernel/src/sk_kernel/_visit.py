"""A request on its way: records of it that wait for a vertex, and what becomes of them. Pure.

A request can branch like any record, or end in a node that gives nothing. So each part of it
carries a share of its *weight*: where it branches the share is divided, where it ends it is handed
in. When as much has come in as was sent out, nothing of the request is left anywhere. (Weight
throwing: Mattern 1989, "Global quiescence detection based on credit distribution and recovery".)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sk_kernel._envelope import NO_CORRELATION, Correlation, Key
from sk_kernel._graph import Edge

WHOLE: Final = 1 << 60
"""The weight of a whole request: enough to be halved sixty times."""


class Visit(NamedTuple):
    """One record of a request, on its way over ``edge`` to that edge's consumer.

    ``request`` is the name by which its reply is told apart, never shown to a node.
    """

    request: str
    weight: int
    edge: Edge
    key: Key
    payload: Any
    correlation: Correlation = NO_CORRELATION
    sampled: bool = False


class Answer(NamedTuple):
    """What a share of a request has ended in: a reply, a failure, or nothing more.

    It is a failure where there is a ``cause_type``: that of what ``node`` raised.
    """

    request: str
    weight: int
    replied: bool = False
    payload: Any = None
    node: str = ""
    cause_type: str = ""


def shares(weight: int, parts: int) -> Iterator[int]:
    """The weight divided by so many parts, the first of them with what is over."""
    each, over = divmod(weight, parts)
    yield each + over
    for _ in range(parts - 1):
        yield each

"""A request on its way through a graph: its records, and their outcomes. Pure.

A request can branch like any record, or end in a node that emits nothing. So each part of it
carries a share of its *weight*: where it branches, the share is divided; where it ends, the share
is returned. When as much was returned as was sent out, no part of the request is left anywhere.
(Weight throwing: Mattern 1989, "Global quiescence detection based on credit distribution and
recovery".)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from sk_kernel._graph.graph import Edge
from sk_kernel._record.envelope import NO_CORRELATION, Correlation, Key

WHOLE: Final = 1 << 60
"""The weight of a whole request: it can be halved sixty times; a request divided further fails."""


class Visit(NamedTuple):
    """One record of a request, on its way over ``edge`` to that edge's consumer.

    ``request`` identifies the reply and is never shown to a node. After ``due``, in seconds of this
    machine's ``time.monotonic``, nobody waits for the reply any more.
    """

    request: str
    weight: int
    edge: Edge
    key: Key
    payload: Any
    correlation: Correlation = NO_CORRELATION
    sampled: bool = False
    due: float = math.inf

    @property
    def origin(self) -> str:
        """The node that it comes from."""
        return self.edge.producer


class Answer(NamedTuple):
    """The end of a share of a request: a reply, a failure, or nothing.

    It is a failure if it has a ``cause_type``, the type of the exception. ``node`` returned the
    reply; of a failure, it raised the exception or returned a payload that cannot be sent. If
    ``is_policy_drop``, the node's policy gave the record up: other records of the request may go
    on, and the failure is the request's outcome only if no reply and no other failure follows.
    """

    request: str
    weight: int
    replied: bool = False
    payload: Any = None
    node: str = ""
    cause_type: str = ""
    is_policy_drop: bool = False

    @property
    def origin(self) -> str:
        """The node that it comes from, as of a visit."""
        return self.node

    @property
    def is_final(self) -> bool:
        """Whether it completes its request, even if other shares are still out."""
        return self.replied or bool(self.cause_type and not self.is_policy_drop)


class Unread(NamedTuple):
    """The payload of a reply as received: the index of its type, and its bytes."""

    type: int
    data: msgspec.Raw


class Tally:
    """The weight of one request that is still out, and its first record that was given up."""

    __slots__ = ("_loss", "weight")

    def __init__(self) -> None:
        self.weight = WHOLE
        self._loss: Answer | None = None

    def take(self, answer: Answer) -> Answer | None:
        """Count an answer; return the answer that completes the request, or None.

        Every reply and every failure completes it, also a second one, which the caller counts as a
        duplicate. When all of the weight has been returned without one, the request is completed by
        the first record that was given up, or else without a reply.
        """
        self.weight -= answer.weight
        if answer.is_policy_drop:
            self._loss = self._loss or answer
        elif answer.is_final:
            return answer
        if self.weight > 0:
            return None
        return self._loss or Answer(answer.request, 0)


def shares(weight: int, parts: int) -> Iterator[int]:
    """Divide the weight into equal parts; the first one has the remainder, too."""
    each, over = divmod(weight, parts)
    yield each + over
    for _ in range(parts - 1):
        yield each

"""A request on its way through a graph: records of it, and what they come to. Pure.

A request can branch like any record, or end in a node that gives nothing. So each part of it
carries a share of its *weight*: where it branches the share is divided, where it ends it is handed
in. When as much has come in as was sent out, nothing of the request is left anywhere. (Weight
throwing: Mattern 1989, "Global quiescence detection based on credit distribution and recovery".)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from sk_kernel._graph.graph import Edge
from sk_kernel._record.envelope import NO_CORRELATION, Correlation, Key

WHOLE: Final = 1 << 60
"""The weight of a whole request: enough to be halved sixty times. One that is not, fails."""


class Visit(NamedTuple):
    """One record of a request, on its way over ``edge`` to that edge's consumer.

    ``request`` is the name by which its reply is told apart, never shown to a node. Behind ``due``,
    in seconds by ``time.monotonic`` of this machine, nobody waits for the reply any more.
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
    """How a share of a request has ended: with a reply, with a failure, or with nothing.

    It is a failure if it has a ``cause_type``, the type of the exception. ``node`` returned the
    reply; of a failure, it raised the exception or returned a payload that cannot be sent. If
    ``is_policy_drop``, the node's policy gave the record up: other records of the request may go
    on, and the failure is the request's outcome only if nothing else comes of it.
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
        """Whether it completes its request, whatever other shares are still out."""
        return self.replied or bool(self.cause_type and not self.is_policy_drop)


class Unread(NamedTuple):
    """The payload of a reply as it has come: the number of its type, and its bytes."""

    type: int
    data: msgspec.Raw


class Tally:
    """How much of one request is still out, and what it has come to so far."""

    __slots__ = ("_loss", "weight")

    def __init__(self) -> None:
        self.weight = WHOLE
        self._loss: Answer | None = None

    def take(self, answer: Answer) -> Answer | None:
        """Count an answer in; gives the answer that completes the request, or None.

        Every reply and every failure completes it, also a second one: whoever is given that counts
        it as a duplicate. When all of the weight has come in without one, the request is completed
        by the first record that was given up, or else without a reply.
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
    """The weight divided into equal parts, the first of them with the remainder."""
    each, over = divmod(weight, parts)
    yield each + over
    for _ in range(parts - 1):
        yield each

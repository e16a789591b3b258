"""Nodes of one process that do not play along."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
from asked_streams import Done
from sk_kernel import node

#: The nodes that have run, in order, with the number of their request.
RAN: list[tuple[str, int]] = []


class Leave(msgspec.Struct):
    """Its node calls ``sys.exit``."""

    n: int


class Both(msgspec.Struct):
    """Two nodes take it; the first may wait before a gate, and those that are silent give none."""

    n: int
    gate: str = ""
    silent: tuple[str, ...] = ()


@node
def leaver(leave: Leave) -> Done:
    """Would end the process."""
    sys.exit(leave.n)


@node
def a_first(both: Both) -> Done | None:
    """One of two."""
    if both.gate:
        Path(both.gate).read_bytes()
    RAN.append(("a_first", both.n))
    return None if "a_first" in both.silent else Done(both.n, "a_first")


@node
def b_then(both: Both) -> Done | None:
    """The other."""
    RAN.append(("b_then", both.n))
    return None if "b_then" in both.silent else Done(both.n, "b_then")

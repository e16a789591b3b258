"""What becomes of a record on which a node raises: a policy for each node, as plain data."""

from __future__ import annotations

from typing import Literal

import msgspec

Policy = Literal["fail", "dead_letter", "skip"]


class NodeFailure(msgspec.Struct, frozen=True):
    """``fail`` ends the run, ``skip`` leaves the record out, ``dead_letter`` writes it down too.

    ``attempts`` is how often the node is called in all for one record before that is given up,
    without delay; 1 is no retry.
    """

    policy: Policy = "fail"
    attempts: int = 1


class FailureSpec(msgspec.Struct, frozen=True):
    """The policy of every node: its own in ``nodes``, or else the ``default``.

    ``dead_letters`` is the path of the file that a completed run writes its dead letters to.
    """

    default: NodeFailure = NodeFailure()
    nodes: dict[str, NodeFailure] = {}
    dead_letters: str | None = None

    def of(self, name: str) -> NodeFailure:
        """The policy of a node."""
        return self.nodes.get(name, self.default)

    @property
    def writes(self) -> bool:
        """Whether a run has a file of dead letters."""
        every = (self.default, *self.nodes.values())
        return any(own.policy == "dead_letter" for own in every)

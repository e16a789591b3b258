"""The failure policies of nodes, as plain data: what happens to a record that a node raises on."""

from __future__ import annotations

from typing import Literal

import msgspec

Policy = Literal["fail", "dead_letter", "skip"]


class NodeFailure(msgspec.Struct, frozen=True):
    """What happens to a record on which a node raises.

    ``policy`` is ``fail`` (the run ends), ``skip`` (the record is left out) or ``dead_letter`` (the
    record is left out and written to the file of dead letters). ``attempts`` is the number of calls
    of the node for one record before the policy applies, without delay between them; 1 means no
    retry.
    """

    policy: Policy = "fail"
    attempts: int = 1


class FailureSpec(msgspec.Struct, frozen=True):
    """The policy of every node: its own in ``nodes``, otherwise the ``default``.

    ``dead_letters`` is the path of the file to which a completed run writes its dead letters.
    """

    default: NodeFailure = NodeFailure()
    nodes: dict[str, NodeFailure] = {}
    dead_letters: str | None = None

    def of(self, name: str) -> NodeFailure:
        """Return the policy of a node."""
        return self.nodes.get(name, self.default)

    @property
    def writes(self) -> bool:
        """Whether a run writes a file of dead letters."""
        every = (self.default, *self.nodes.values())
        return any(own.policy == "dead_letter" for own in every)

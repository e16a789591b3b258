"""`runtime.failure`: what becomes of a record on which a node raises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Count, Text
from sk_config._finding import Finding
from sk_config._rules import failure_findings, policy_findings


class NodeFailureConfig(ConfigModel):
    """What becomes of a record on which a node raises."""

    policy: Literal["fail", "dead_letter", "skip"] = Field(
        default="fail",
        description="fail ends the run; skip leaves the record out; dead_letter writes it down too",
    )
    attempts: Count = Field(
        default=1,
        description="Calls of the node with one record before that is given up; 1 is no retry",
    )

    def _broken_rules(self) -> Iterable[Finding]:
        return policy_findings(self.model_dump())


class DeadLetterConfig(ConfigModel):
    """Where the records go that were given up under the policy dead_letter."""

    path: Text = Field(description="The file that a run has its dead letters in when it has ended")


class FailureConfig(ConfigModel):
    """What becomes of records on which nodes raise."""

    default: NodeFailureConfig = Field(
        default=NodeFailureConfig(), description="The policy of a node that has none of its own"
    )
    nodes: dict[str, NodeFailureConfig] = Field(
        default={}, description="Policies of single nodes, by the node's name"
    )
    dead_letter: DeadLetterConfig | None = Field(
        default=None,
        description="Where dead letters go; needed with a policy dead_letter, refused without one",
    )

    def _broken_rules(self) -> Iterable[Finding]:
        return failure_findings(self.model_dump())

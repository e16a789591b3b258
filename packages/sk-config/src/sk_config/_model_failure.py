"""`runtime.failure`: what happens to a record on which a node raises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Count, Text
from sk_config._finding import Finding
from sk_config._rules import failure_findings, policy_findings


class NodeFailureConfig(ConfigModel):
    """What happens to a record on which a node raises."""

    policy: Literal["fail", "dead_letter", "skip"] = Field(
        default="fail",
        description="`fail` ends the run; `skip` leaves the record out; `dead_letter` leaves it out"
        " and writes it to a file",
    )
    attempts: Count = Field(
        default=1,
        description="Maximum number of calls per record, the first one included; 1 is no retry",
    )

    def _broken_rules(self) -> Iterable[Finding]:
        return policy_findings(self.model_dump())


class DeadLetterConfig(ConfigModel):
    """The file of dead letters."""

    path: Text = Field(description="File that holds the dead letters after the run")


class FailureConfig(ConfigModel):
    """What happens to records on which nodes raise."""

    default: NodeFailureConfig = Field(
        default=NodeFailureConfig(), description="Policy of every node that `nodes` does not name"
    )
    nodes: dict[str, NodeFailureConfig] = Field(
        default={}, description="Policies of single nodes, by node name"
    )
    dead_letter: DeadLetterConfig | None = Field(
        default=None,
        description="File of dead letters: required with a policy `dead_letter`, else an error",
    )

    def _broken_rules(self) -> Iterable[Finding]:
        return failure_findings(self.model_dump())

"""`process_groups[].restart`: what happens after a worker of the group has failed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Backoff, Count, Seconds
from sk_config._finding import Finding
from sk_config._rules import restart_findings


class RestartConfig(ConfigModel):
    """Whether, when and how often a failed worker is replaced."""

    policy: Literal["never", "on_failure"] = Field(
        default="never",
        description="`never`: a failed worker ends the run; `on_failure`: a new worker replaces it",
    )
    intensity: Count = Field(
        default=3,
        description="Maximum of restarts within `period_seconds`; one more failure ends the run",
    )
    period_seconds: Seconds = Field(
        default=60, description="Period in seconds in which restarts are counted"
    )
    backoff_seconds: Backoff = Field(
        default=0.2,
        description="Seconds before the first restart; the wait doubles with each further one",
    )
    backoff_max_seconds: Backoff = Field(
        default=10.0, description="Longest wait before a restart, in seconds"
    )

    def _broken_rules(self) -> Iterable[Finding]:
        return restart_findings(self.model_dump())

"""`process_groups[].restart`: what becomes of a group whose worker has failed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Backoff, Count, Seconds
from sk_config._finding import Finding
from sk_config._rules import restart_findings


class RestartConfig(ConfigModel):
    """Whether, when and how often a failed worker is replaced by a new one."""

    policy: Literal["never", "on_failure"] = Field(
        default="never",
        description="never: a failed worker ends the run; on_failure: a new one takes its place",
    )
    intensity: Count = Field(
        default=3, description="Restarts within period_seconds; one more failure ends the run"
    )
    period_seconds: Seconds = Field(default=60, description="Seconds in which restarts are counted")
    backoff_seconds: Backoff = Field(
        default=0.2,
        description="Seconds before the first restart; each further one waits twice as long",
    )
    backoff_max_seconds: Backoff = Field(
        default=10.0, description="The longest wait before a restart, in seconds"
    )

    def _broken_rules(self) -> Iterable[Finding]:
        return restart_findings(self.model_dump())

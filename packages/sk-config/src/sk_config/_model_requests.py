"""`runtime.platform.requests` and `.routing_cache`: what a run's callers may ask for."""

from __future__ import annotations

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Count, Flag, Seconds


class RequestsConfig(ConfigModel):
    """Requests to the nodes of a run, from the process that started it."""

    max_in_flight: Count = Field(
        default=1_024, description="Requests that may be without a reply; more are refused"
    )
    timeout_seconds: Seconds = Field(
        default=30, description="Seconds until a request has failed, where its caller says none"
    )


class RoutingCacheConfig(ConfigModel):
    """What is remembered of where requests go."""

    enabled: Flag = Field(default=True, description="Whether routes are remembered")
    negative_cache: Flag = Field(
        default=True, description="Whether it is remembered that there is no route, too"
    )
    max_entries: Count = Field(default=1_024, description="Routes that are remembered")

"""`runtime.platform.requests` and `.routing_cache`: limits for requests, and their routes."""

from __future__ import annotations

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Count, Flag, Seconds


class RequestsConfig(ConfigModel):
    """Limits for requests that the process which started a run sends to its nodes."""

    max_in_flight: Count = Field(
        default=1_024,
        description="Requests that may be with the nodes, waited for or not; more are refused",
    )
    timeout_seconds: Seconds = Field(
        default=30,
        description="Seconds until a request without a reply fails; a caller may set its own",
    )


class RoutingCacheConfig(ConfigModel):
    """The cache of the routes that requests take."""

    enabled: Flag = Field(default=True, description="Whether routes are remembered")
    negative_cache: Flag = Field(
        default=True, description="Whether it is also remembered that there is no route"
    )
    max_entries: Count = Field(default=1_024, description="Routes that are remembered")

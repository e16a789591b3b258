"""`runtime.platform.requests` and `.routing_cache`: limits for requests, and their routes."""

from __future__ import annotations

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Count, Flag, Seconds


class RequestsConfig(ConfigModel):
    """Limits for requests that the process which started the run sends to its nodes."""

    max_in_flight: Count = Field(
        default=1_024,
        description="Maximum number of requests that nodes work on, including those that nobody"
        " waits for any more; others are rejected",
    )
    timeout_seconds: Seconds = Field(
        default=30,
        description="Seconds after which a request without a reply fails; a caller can set its own",
    )


class RoutingCacheConfig(ConfigModel):
    """The cache of the routes of requests. Rarely changed."""

    enabled: Flag = Field(default=True, description="Whether routes are cached")
    negative_cache: Flag = Field(
        default=True, description="Whether the absence of a route is cached, too"
    )
    max_entries: Count = Field(default=1_024, description="Maximum number of cached routes")

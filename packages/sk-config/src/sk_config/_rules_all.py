"""The check of every rule between fields on the data of a whole configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sk_config._finding import Finding
from sk_config._malformed import items_or_empty, mapping_or_empty
from sk_config._rules import (
    auth_findings,
    failure_findings,
    health_findings,
    metrics_findings,
    module_findings,
)
from sk_config._rules_groups import group_findings, platform_findings

_PLATFORM: Final = ("runtime", "platform")
_IPC: Final = (*_PLATFORM, "execution_ipc")


def all_rules(config: object) -> Iterator[Finding]:
    """Check every rule; `config` may be any value, and malformed parts of it count as empty."""
    runtime = mapping_or_empty(mapping_or_empty(config).get("runtime"))
    yield from failure_findings(mapping_or_empty(runtime.get("failure")), ("runtime", "failure"))
    yield from metrics_findings(runtime, ("runtime",))
    yield from module_findings(runtime, ("runtime",))
    platform = runtime.get("platform")
    if not isinstance(platform, Mapping):
        return
    ipc = mapping_or_empty(platform.get("execution_ipc"))
    yield from auth_findings(mapping_or_empty(ipc.get("auth")), (*_IPC, "auth"))
    control = mapping_or_empty(ipc.get("control"))
    yield from auth_findings(mapping_or_empty(control.get("auth")), (*_IPC, "control", "auth"))
    for index, group in enumerate(items_or_empty(platform.get("process_groups"))):
        if isinstance(group, Mapping):
            yield from group_findings(group, (*_PLATFORM, "process_groups", index))
    yield from health_findings(mapping_or_empty(platform.get("health")), (*_PLATFORM, "health"))
    yield from platform_findings(platform, _PLATFORM)

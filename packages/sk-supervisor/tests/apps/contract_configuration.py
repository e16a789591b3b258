"""The configuration of the application that the contract's suite brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sk_kernel import ApplicationSpec


def configuration(
    application: ApplicationSpec, mode: str, groups: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    assert application.source
    assert application.sink
    process_groups = [{"name": name, "nodes": list(nodes)} for name, nodes in groups.items()]
    return {
        "version": 1,
        "scenario": application.scenario,
        "runtime": {
            "discovery_modules": application.discovery_modules,
            "platform": {
                "bootstrap": {"mode": mode},
                "execution_ipc": {
                    "transport": "tcp_local",
                    "control": {"transport": "tcp_local"},
                },
                "process_groups": process_groups,
            },
        },
        "nodes": application.nodes,
        "services": application.services,
        "adapters": {
            "source": {"name": application.source.name, "settings": application.source.settings},
            "sink": {"name": application.sink.name, "settings": application.sink.settings},
        },
    }

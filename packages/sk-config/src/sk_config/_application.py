"""The part of a configuration that an application is made of, for those who build one."""

from __future__ import annotations

from typing import Any

from sk_config._model_config import Config


def application_data(config: Config) -> dict[str, Any]:
    """Give the scenario, discovery modules, nodes, adapters and failure policies as plain data.

    It is shared with nobody, has the shape of `sk_kernel.ApplicationSpec` (which
    `msgspec.convert` makes of it), and holds what placeholders gave.
    """
    failure = config.runtime.failure
    return {
        "scenario": config.scenario.name,
        "discovery_modules": list(config.runtime.discovery_modules),
        **config.model_dump(include={"nodes"}),
        **config.adapters.model_dump(include={"source", "sink"}),
        "failure": {
            **failure.model_dump(include={"default", "nodes"}),
            "dead_letters": failure.dead_letter.path if failure.dead_letter else None,
        },
    }

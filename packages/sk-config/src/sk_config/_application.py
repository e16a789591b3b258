"""The part of a configuration from which the kernel builds an application."""

from __future__ import annotations

from typing import Any

from sk_config._model_config import Config


def application_data(config: Config) -> dict[str, Any]:
    """Return scenario, modules, nodes, services, adapters and failure policies as plain data.

    `msgspec.convert` converts the data to `sk_kernel.ApplicationSpec`. It is a copy in which
    placeholders are expanded: it contains secrets.
    """
    failure = config.runtime.failure
    return {
        "scenario": config.scenario.name,
        "discovery_modules": list(config.runtime.discovery_modules),
        **config.model_dump(include={"nodes", "services"}),
        **config.adapters.model_dump(include={"source", "sink"}),
        "failure": {
            **failure.model_dump(include={"default", "nodes"}),
            "dead_letters": failure.dead_letter.path if failure.dead_letter else None,
        },
    }

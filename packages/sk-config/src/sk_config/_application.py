"""What the kernel builds an application from, out of a configuration."""

from __future__ import annotations

from typing import Any

from sk_config._model_config import Config


def application_data(config: Config) -> dict[str, Any]:
    """Give scenario, discovery modules, nodes, services, adapters, failure policies as plain data.

    The data has the shape of `sk_kernel.ApplicationSpec`, which `msgspec.convert` makes of it. It
    is a copy, and holds what placeholders gave: secrets too.
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

"""Making the configuration from the command's options, or rejecting the options."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Final

from sk_config import Config, load_config, parse_config

from sk_fundload.adapters import is_same_file
from sk_fundload.errors import (
    ConflictingOptionsError,
    MissingOptionError,
    MixedOutputError,
    RulesDisagreeError,
    SamePlaceError,
)

_PLACES: Final = {
    "input": "adapters.source.settings.path",
    "output": "adapters.sink.settings.path",
    "rejects": "adapters.sink.settings.rejects",
}
#: Rules that several nodes implement together: the setting that these nodes share, and the nodes.
_SHARED: Final = {
    "prime_gate": ("compute_features", "evaluate_policies", "update_windows"),
    "retention_days": ("parse_load_attempt", "idempotency_gate", "update_windows"),
}


def configuration(
    *,
    rules: str | None,
    profile: str | None,
    file: str | None,
    overrides: Sequence[str],
    places: Mapping[str, str | None],
) -> Config:
    """Load the configuration that the options choose, with their paths and overrides set in it.

    ``places`` are the paths given for ``input``, ``output`` and ``rejects``; they have precedence
    over the file and the overrides.

    :raises sk_config.ConfigError: with every fault of the configuration.
    :raises UsageError: for missing or conflicting options, input and output that are the same file,
        mixed outputs, or nodes whose settings for a shared rule disagree.
    """
    given = [f"{_PLACES[name]}={_yaml(path)}" for name, path in places.items() if path is not None]
    config = _load(rules, profile, file, [*overrides, *given])
    _refuse_same_file(config)
    _refuse_mixed_rules(config)
    _refuse_mixed_output(config)
    return config


def _load(
    rules: str | None, profile: str | None, file: str | None, overrides: Sequence[str]
) -> Config:
    if file is not None:
        for option, value in (("--rules", rules), ("--profile", profile)):
            if value is not None:
                advice = "a configuration file has its own rules and profile"
                raise ConflictingOptionsError("--config", option, advice)
        return load_config(file, overrides)
    if rules is None:
        raise MissingOptionError("--rules", "or a configuration file, --config")
    if profile is None:
        raise MissingOptionError("--profile", "or a configuration file, --config")
    name = f"configs/{rules}_{profile}.yaml"
    text = resources.files("sk_fundload").joinpath(name).read_text("utf-8")
    return parse_config(text, origin=f"sk_fundload/{name}", overrides=overrides)


def _yaml(path: str) -> str:
    """Return a path as a JSON string, which is a YAML scalar too, with placeholders escaped."""
    return json.dumps(path.replace("${", "$${"), ensure_ascii=False)


def _refuse_same_file(config: Config) -> None:
    source, sink = config.adapters.source, config.adapters.sink
    if source is None or sink is None:
        return
    read = source.settings.get("path")
    for option, key in (("output", "path"), ("rejects", "rejects")):
        written = sink.settings.get(key)
        if isinstance(read, str) and isinstance(written, str) and is_same_file(read, written):
            raise SamePlaceError("input", option, written)


def _refuse_mixed_output(config: Config) -> None:
    sink, observability = config.adapters.sink, config.runtime.observability
    if sink is None or "-" not in (sink.settings.get("path"), sink.settings.get("rejects")):
        return
    kinds: dict[str, list[str]] = {
        "tracing": [exporter.kind for exporter in observability.tracing.exporters],
        "logging": [exporter.kind for exporter in observability.logging.exporters],
    }
    for block, chosen in kinds.items():
        if "stdout" in chosen:
            index = chosen.index("stdout")
            raise MixedOutputError(f"runtime.observability.{block}.exporters[{index}]")


def _refuse_mixed_rules(config: Config) -> None:
    """Reject nodes that implement a rule together but have different settings for it."""
    for setting, nodes in _SHARED.items():
        asked: dict[str, tuple[str, ...]] = {}
        for node in nodes:
            value = config.nodes.get(node, {}).get(setting)
            word = "off" if value in (None, False) else "on" if setting == "prime_gate" else value
            asked[str(word)] = (*asked.get(str(word), ()), node)
        if len(asked) > 1:
            raise RulesDisagreeError(setting, asked)

"""Making a `Config` from a document, or reporting all faults of the document at once.

The steps: copy the document as plain data, set the overrides, expand placeholders, validate each
field (a placeholder's text is converted for a number or boolean field), check the rules between
fields. All steps are carried out, even if earlier ones found faults.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sk_config._base import remember_placeholders, remember_values, remember_whereabouts
from sk_config._document import Document
from sk_config._expand import Expansion, set_scalars
from sk_config._explain import explain
from sk_config._finding import Finding, to_faults
from sk_config._limits import OverLimitError
from sk_config._model_config import Config, spell_out_scenario
from sk_config._overrides import Override, apply_overrides, parse_overrides
from sk_config._path import Path
from sk_config._plain import plain_copy
from sk_config._rules_all import all_rules
from sk_config._whereabouts import Whereabouts
from sk_config.errors import ConfigError, Fault


@dataclass(frozen=True, slots=True)
class Provenance:
    """The origin of a document, and the sources of its overrides and placeholders."""

    origin: str
    """The name of the document in errors."""
    base_dir: FilePath
    """The folder that `${FILE:path}` is relative to."""
    overrides: Iterable[str]
    """`PATH=VALUE`, applied in this order."""
    environ: Mapping[str, str] | None
    """Where `${ENV:NAME}` is looked up; None for this process's environment."""


def configure(document: Document, given: Provenance) -> Config:
    """Return the configuration of a document.

    :raises ConfigError: with every fault of the document.
    """
    outcome = _attempt(document, given)
    # Raised outside every `except`: pydantic's error contains values and would become its context.
    if isinstance(outcome, Config):
        return outcome
    raise ConfigError(outcome, given.origin)


def _attempt(document: Document, given: Provenance) -> Config | tuple[Fault, ...]:
    findings = list(document.findings)
    overrides: list[Override] = []
    for parsed in parse_overrides(given.overrides):
        if isinstance(parsed, Override):
            overrides.append(parsed)
        else:
            findings.append(parsed)
    if not document.has_value:
        return to_faults(findings, {}, {})
    try:
        data, found = _plain_data(document.value, overrides)
    except OverLimitError as error:
        return to_faults([*findings, error.finding], document.lines, {})
    expansion = Expansion(os.environ if given.environ is None else given.environ, given.base_dir)
    data = expansion.expand(data)
    config, invalid = _validate(data, expansion)
    findings += [*found, *expansion.findings, *invalid, *all_rules(data)]
    lines = _lines(document.lines, overrides)
    if config is None or findings:
        return to_faults(findings, lines, expansion.placeholders)
    remember_placeholders(config, expansion.placeholders)
    remember_values(config, expansion.values())
    remember_whereabouts(config, Whereabouts(given.origin, lines))
    return config


def _plain_data(value: Any, overrides: Iterable[Override]) -> tuple[Any, list[Finding]]:
    """Copy a document's value, and set the overrides in the copy.

    The shorthand for a scenario is spelt out in both, so that the paths of overrides and
    placeholders are those of the models' fields.
    """
    data, findings = plain_copy(value)
    if isinstance(data, dict):
        if "scenario" in data:
            data["scenario"] = spell_out_scenario(data["scenario"])
        findings += apply_overrides(data, map(_spelt_out, overrides))
    return data, findings


def _spelt_out(override: Override) -> Override:
    if override.path != ("scenario",):
        return override
    return override._replace(value=spell_out_scenario(override.value))


def _validate(data: Any, expansion: Expansion) -> tuple[Config | None, list[Finding]]:
    config, errors = _tried(data)
    if scalars := [*set_scalars(data, errors, expansion.whole)]:
        for path in scalars:
            del expansion.brought_in[path]
        config, errors = _tried(data)
    return config, list(explain(errors, Config))


def _tried(data: Any) -> tuple[Config | None, list[ErrorDetails]]:
    try:
        return Config.model_validate(data), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _lines(lines: Mapping[Path, int], overrides: Iterable[Override]) -> dict[Path, int | None]:
    """Return the lines of a document's values; None for values set by overrides, or inside them."""
    kept: dict[Path, int | None] = dict(lines)
    for path in {override.path for override in overrides}:
        kept = {at: line for at, line in kept.items() if at[: len(path)] != path}
        kept[path] = None
    return kept

"""From a file, a text or a mapping to a `Config`, or to all of its faults at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from sk_config._base import remember_placeholders, remember_values
from sk_config._document import Document, Format, parse_document, read_text, unreadable
from sk_config._expand import Expansion
from sk_config._explain import explain
from sk_config._finding import Finding, to_faults
from sk_config._limits import OverLimitError
from sk_config._model_config import Config, spell_out_scenario
from sk_config._overrides import Override, apply_overrides, parse_overrides
from sk_config._path import Path
from sk_config._plain import plain_copy
from sk_config._rules import cross_findings
from sk_config.errors import ConfigError, Fault


def load_config(
    path: str | os.PathLike[str],
    overrides: Iterable[str] = (),
    *,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Read a configuration file: JSON when its name ends in `.json`, YAML otherwise.

    `overrides` are `PATH=VALUE`, applied in order over the file. `${FILE:path}` is relative to the
    file's folder; `${ENV:NAME}` is looked up in `environ`, by default this process's. Raises
    `ConfigError` with every fault.
    """
    file = FilePath(path)
    text = read_text(file)
    if isinstance(text, Finding):
        document = unreadable(text)
    else:
        document = parse_document(text, "json" if file.suffix == ".json" else "yaml")
    return _configure(document, _Source(_printable(str(file)), file.parent, overrides, environ))


def parse_config(
    text: str,
    *,
    format: Format = "yaml",  # noqa: A002 (the word that users know)
    origin: str = "<text>",
    base_dir: str | os.PathLike[str] | None = None,
    overrides: Iterable[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Read a configuration from text; `origin` names it in errors. Otherwise as `load_config`.

    `base_dir` is the folder of `${FILE:path}`, by default the current one.
    """
    source = _Source(origin, FilePath(base_dir or "."), overrides, environ)
    return _configure(parse_document(text, format), source)


def build_config(
    mapping: Mapping[str, Any],
    *,
    origin: str = "<mapping>",
    base_dir: str | os.PathLike[str] | None = None,
    overrides: Iterable[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Build a configuration from plain data, which is copied. Otherwise as `parse_config`."""
    source = _Source(origin, FilePath(base_dir or "."), overrides, environ)
    return _configure(Document(value=mapping), source)


@dataclass(frozen=True, slots=True)
class _Source:
    origin: str
    base_dir: FilePath
    overrides: Iterable[str]
    environ: Mapping[str, str] | None


def _configure(document: Document, source: _Source) -> Config:
    outcome = _attempt(document, source)
    # Raised here, outside every `except`: an error of pydantic holds values, and must not ride
    # along as context.
    if isinstance(outcome, Config):
        return outcome
    raise ConfigError(outcome, source.origin)


def _attempt(document: Document, source: _Source) -> Config | tuple[Fault, ...]:
    findings = list(document.findings)
    overrides: list[Override] = []
    for parsed in parse_overrides(source.overrides):
        if isinstance(parsed, Override):
            overrides.append(parsed)
        else:
            findings.append(parsed)
    if not document.readable:
        return to_faults(findings, {}, {})
    try:
        data, found = _plain_data(document.value, overrides)
    except OverLimitError as error:
        return to_faults([*findings, error.finding], document.lines, {})
    expansion = Expansion(os.environ if source.environ is None else source.environ, source.base_dir)
    data = expansion.expand(data)
    config, invalid = _validate(data)
    findings += [*found, *expansion.findings, *invalid, *cross_findings(data)]
    if config is None or findings:
        return to_faults(findings, _lines(document.lines, overrides), expansion.placeholders)
    remember_placeholders(config, expansion.placeholders)
    remember_values(config, expansion.values)
    return config


def _plain_data(value: Any, overrides: Iterable[Override]) -> tuple[Any, list[Finding]]:
    """Copy a document's value, its shorthand spelt out, and set the overrides in the copy."""
    data, findings = plain_copy(value)
    if isinstance(data, dict):
        if "scenario" in data:
            data["scenario"] = spell_out_scenario(data["scenario"])
        findings += apply_overrides(data, overrides)
    return data, findings


def _validate(data: Any) -> tuple[Config | None, list[Finding]]:
    try:
        return Config.model_validate(data), []
    except ValidationError as error:
        return None, list(explain(error.errors(include_url=False), Config))


def _lines(lines: Mapping[Path, int], overrides: Iterable[Override]) -> dict[Path, int | None]:
    """Give the lines of a document without those of what was set over it."""
    return {**lines, **{override.path: None for override in overrides}}


def _printable(origin: str) -> str:
    return origin if origin.isprintable() else ascii(origin)

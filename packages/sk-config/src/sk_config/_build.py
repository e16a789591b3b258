"""The functions that make a `Config`: from a file, from text, or from a mapping."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any

from sk_config._configure import Provenance, configure
from sk_config._document import Document, without_value
from sk_config._files import read_text
from sk_config._finding import Finding
from sk_config._model_config import Config
from sk_config._parse import Format, parse_document


def load_config(
    path: str | os.PathLike[str],
    overrides: Iterable[str] = (),
    *,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Read a configuration file: JSON if its name ends in `.json`, YAML otherwise.

    `overrides` are `PATH=VALUE`, applied in order over the file. `${FILE:path}` is relative to the
    file's folder; `${ENV:NAME}` is looked up in `environ`, by default the process's environment.

    :raises ConfigError: with every fault.
    """
    file = FilePath(path)
    text = read_text(file)
    if isinstance(text, Finding):
        document = without_value(text)
    else:
        document = parse_document(text, "json" if file.suffix == ".json" else "yaml")
    return configure(document, Provenance(_printable(str(file)), file.parent, overrides, environ))


def parse_config(
    text: str,
    *,
    format: Format = "yaml",  # noqa: A002 (the word that users know)
    origin: str = "<text>",
    base_dir: str | os.PathLike[str] | None = None,
    overrides: Iterable[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Read a configuration from text; `origin` names it in errors. Otherwise like `load_config`.

    `base_dir` is the folder that `${FILE:path}` is relative to, by default the current one.
    """
    source = Provenance(origin, FilePath(base_dir or "."), overrides, environ)
    return configure(parse_document(text, format), source)


def build_config(
    mapping: Mapping[str, Any],
    *,
    origin: str = "<mapping>",
    base_dir: str | os.PathLike[str] | None = None,
    overrides: Iterable[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Build a configuration from plain data, which is copied. Otherwise like `parse_config`."""
    source = Provenance(origin, FilePath(base_dir or "."), overrides, environ)
    return configure(Document(value=mapping), source)


def _printable(origin: str) -> str:
    return origin if origin.isprintable() else ascii(origin)

"""An application as plain data."""

from __future__ import annotations

from typing import Any

import msgspec

from sk_kernel._declare.failure import FailureSpec


class AdapterSettings(msgspec.Struct, frozen=True):
    """The name of the chosen source or sink, and its settings."""

    name: str
    settings: dict[str, Any] = {}


class ApplicationSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a process needs to build the application, as plain data.

    ``discovery_modules`` are the modules that declare it. ``nodes`` and ``services`` are settings
    by name.
    """

    scenario: str
    discovery_modules: list[str]
    nodes: dict[str, dict[str, Any]] = {}
    services: dict[str, dict[str, Any]] = {}
    source: AdapterSettings | None = None
    sink: AdapterSettings | None = None
    failure: FailureSpec = FailureSpec()

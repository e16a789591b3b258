"""The effective configuration, in a form to show to people."""

from __future__ import annotations

from typing import Any

from sk_config._base import masked_dump
from sk_config._model_config import Config


def dump_config(config: Config) -> dict[str, Any]:
    """Return the whole effective configuration as plain data, every default explicit.

    A string with placeholders is dumped as it was written; any other secret is masked, and a
    literal `${` is escaped. `build_config` makes an equal `Config` from a dump in which nothing is
    masked.
    """
    return masked_dump(config)

"""The effective configuration, for people."""

from __future__ import annotations

from typing import Any

from sk_config._base import masked_dump
from sk_config._model_config import Config


def dump_config(config: Config) -> dict[str, Any]:
    """Give the whole effective configuration as plain data, every default explicit.

    Where a string came from placeholders, the dump has the string as it was written; any other
    secret is masked, and a literal `${` escaped. `build_config` makes an equal `Config` of a dump
    in which nothing is masked.
    """
    return masked_dump(config)

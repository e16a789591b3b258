"""The effective configuration, for people."""

from __future__ import annotations

from typing import Any

from sk_config._base import masked_dump
from sk_config._model_config import Config


def dump_config(config: Config) -> dict[str, Any]:
    """Give the whole effective configuration as plain data, every default explicit.

    A string that came from a placeholder is the placeholder as it was written, another secret is
    masked, and a literal `${` is escaped: without a masked secret `build_config` makes an equal
    `Config` of it.
    """
    return masked_dump(config)

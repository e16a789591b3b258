"""The characters that count as white space, in JSON and around values."""

from __future__ import annotations

from typing import Final

WHITE_SPACE: Final = " \t\r\n"
"""Space, tab, CR and LF only: `str.strip()` would also strip NBSP and many others."""

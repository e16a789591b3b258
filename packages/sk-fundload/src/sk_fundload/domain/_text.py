"""What white space is here, in JSON and around values."""

from __future__ import annotations

from typing import Final

WHITE_SPACE: Final = " \t\r\n"
"""Space, tab, CR, LF and nothing else: `str.strip()` alone would also take NBSP and many more."""

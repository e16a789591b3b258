"""What reading bytes that are not as declared comes to."""

from __future__ import annotations

from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises of them: the second of text that is no UTF-8, the last of what is nested too
deep, be it in a field that nobody asked for."""

"""What msgspec raises on what it cannot encode, and on bytes that it cannot decode."""

from __future__ import annotations

from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises on bytes that are not as declared, a ``__post_init__`` left aside.

The second is for text that is no UTF-8, the last for what is nested too deep, be it in a field that
is not declared.
"""

UNSENDABLE: Final = (TypeError, ValueError, OverflowError, RecursionError)
"""What encoding raises on a value that MessagePack has no form for.

That is an object of no known type, a lone surrogate, an integer over 64 bits, or what is nested too
deep.
"""

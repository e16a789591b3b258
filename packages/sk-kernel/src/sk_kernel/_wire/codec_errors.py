"""The exceptions that msgspec raises when it cannot encode a value or decode bytes."""

from __future__ import annotations

from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""The exceptions of decoding bytes that do not match the declared type.

Any other exception comes from a ``__post_init__``. ``UnicodeDecodeError`` is for text that is not
UTF-8, ``RecursionError`` for data that is nested too deep, even in a field that is not declared.
"""

UNSENDABLE: Final = (TypeError, ValueError, OverflowError, RecursionError)
"""The exceptions of encoding a value that MessagePack cannot represent.

Such a value is an object of an unknown type, text with a lone surrogate, an integer over 64 bits,
or data that is nested too deep.
"""

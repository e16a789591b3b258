"""W3C Trace Context: the header by which a caller names the trace that a record belongs to.

Format: https://www.w3.org/TR/trace-context/, ``version-trace_id-parent_id-flags``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

#: The header's name. Header names are in lower case, as in HTTP/2.
TRACEPARENT = "traceparent"

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 0x01
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


class TraceParent(NamedTuple):
    """A caller's span, and whether the caller records its trace."""

    trace_id: str
    span_id: str
    sampled: bool


def read_traceparent(text: str) -> TraceParent | None:
    """Parse a ``traceparent``; return None if it is invalid.

    The known fields of a later version are read, as the recommendation demands.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more):
        return None
    if trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return TraceParent(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))


def write_traceparent(trace_id: str, span_id: str, *, sampled: bool) -> str:
    """Format a ``traceparent`` of version 00."""
    return f"00-{w3c_trace_id(trace_id)}-{span_id}-{sampled:02x}"


@lru_cache(maxsize=1024)
def w3c_trace_id(given: str) -> str:
    """Return the W3C trace id for the spans of a record whose envelope set this trace id.

    A valid W3C trace id, or a UUID, is kept (in lower case, without hyphens); anything else is
    replaced by a hash of it.
    """
    plain = given.replace("-", "").lower()
    if _TRACE_ID.fullmatch(plain) and plain != _NO_TRACE:
        return plain
    text = given.encode(errors="surrogatepass")
    return blake2b(text, digest_size=16, person=b"sk-given").hexdigest()

"""W3C Trace Context: what a caller says of the trace that a record belongs to.

Format: https://www.w3.org/TR/trace-context/, ``version-trace_id-parent_id-flags``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

#: The header's name; the names of headers are in lower case, as those of HTTP/2 are.
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
    """What a ``traceparent`` says; None when it is none.

    Of a version to come, what is known of it is read, as the recommendation asks for.
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
    """A ``traceparent`` of version 00."""
    return f"00-{w3c_trace_id(trace_id)}-{span_id}-{sampled:02x}"


@lru_cache(maxsize=1024)
def w3c_trace_id(given: str) -> str:
    """The trace id in which spans are recorded of a record that an envelope gave this one.

    What is one of Trace Context, or a UUID, is that; of anything else it is a hash, always the
    same.
    """
    plain = given.replace("-", "").lower()
    if _TRACE_ID.fullmatch(plain) and plain != _NO_TRACE:
        return plain
    text = given.encode(errors="surrogatepass")
    return blake2b(text, digest_size=16, person=b"sk-given").hexdigest()

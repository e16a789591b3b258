"""The limits of the pairs that the claims are checked on."""

from __future__ import annotations

from typing import Final

from sk_transport._limits import FrameLimits

# Small enough that the buffers of a pair hold several frames, large enough to need several reads.
LIMITS: Final = FrameLimits(max_frame_bytes=1 << 20, max_header_bytes=512)

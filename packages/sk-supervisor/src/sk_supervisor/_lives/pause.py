"""Whether the supervisor itself was stopped (Ctrl-Z, a debugger, a frozen container). Pure.

No clock stands still for a process that is stopped, and nobody tells it that it was: all it can see
is a wait that took longer than it was to take. A pause that ends before the wait would have ended
shows nowhere. So while anybody's time is measured no wait is long. That is no tick of its own in a
run that works: a heartbeat a second from every worker ends its waits sooner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LONGEST_WAIT_SECONDS: Final = 1.0
#: A loop that is woken this much too late was stopped; a busy machine makes it less late.
_LATE_SECONDS: Final = 1.0


def wait_until(began: float, dues: Sequence[float]) -> float | None:
    """When a wait that begins now is to end, whatever comes; None where nobody's time is measured.

    :param dues: when something is to be done.
    """
    return max(began, min(*dues, began + LONGEST_WAIT_SECONDS)) if dues else None


def paused_seconds(began: float, until: float | None, woke: float) -> float:
    """How long the process was stopped, or up to :data:`LONGEST_WAIT_SECONDS` more; 0 if not.

    The whole of such a wait is forgiven: too much of it does no harm, as too little would.
    """
    return woke - began if until is not None and woke - until >= _LATE_SECONDS else 0.0

"""Whether the standard output of a run still has a reader."""

from __future__ import annotations

import select

from sk_supervisor._protocol.failures import has_no_reader


def reader_has_gone(error: BaseException) -> bool:
    """Whether a run ended with this error because its standard output has no reader any more."""
    told = getattr(error, "cause_type", "") == BrokenPipeError.__name__
    return (told or has_no_reader(error)) and _output_is_unread()


def _output_is_unread() -> bool:
    """Whether standard output, which the sink's worker shares, is a pipe without a reader."""
    poll = select.poll()
    poll.register(1, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))

"""What has become of the spans that a process made, exporter by exporter."""

from __future__ import annotations

import msgspec


class ExporterAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Of the spans that one exporter of a process was given: how many went out, and what was lost.

    ``dropped`` is by reason: an errno's name, or what the exporter says. ``close_failure`` is the
    reason why it did not close, or empty.
    """

    kind: str
    exported: int = 0
    dropped: dict[str, int] = {}
    close_failure: str = ""


class SpanAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The spans of one process: a worker in one incarnation, or the supervisor itself.

    Of workers that were followed by others it may be the sum: of as many ``processes``, the last of
    which was ``worker``.

    ``created`` counts those that were made; each of the ``exporters``, in the order of the
    configuration, was given all of them. ``final`` says that the exporters are closed: for each of
    them ``created`` is then the sum of what went out and of what was dropped, or some span is
    unaccounted for. An account that is not final is that of a process that works, or that was
    killed: what came after it is unknown.
    """

    worker: str
    created: int = 0
    exporters: tuple[ExporterAccount, ...] = ()
    final: bool = False
    processes: int = 1

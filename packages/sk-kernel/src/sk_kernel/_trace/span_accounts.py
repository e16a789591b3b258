"""Accounts of the spans of a process: how many were made, exported and dropped."""

from __future__ import annotations

import msgspec


class ExporterAccount(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the spans given to one exporter of a process were exported, and how many dropped.

    ``dropped`` is by reason: the name of an errno, or a reason that the exporter reports.
    ``close_failure`` is the reason why the exporter did not close, or empty.
    """

    kind: str
    exported: int = 0
    dropped: dict[str, int] = {}
    close_failure: str = ""


class SpanAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account of the spans of one process: one incarnation of a worker, or the supervisor.

    It may also be the sum over several incarnations: ``processes`` is their number, and ``worker``
    the last of them.

    ``created`` counts the spans that were made; each of the ``exporters``, in the order of the
    configuration, received all of them. ``final`` says that the exporters are closed: for each of
    them ``created`` is then the sum of the exported and the dropped spans, otherwise some spans
    are unaccounted for. An account that is not final belongs to a process that still runs or was
    killed: what happened to later spans is unknown.
    """

    worker: str
    created: int = 0
    exporters: tuple[ExporterAccount, ...] = ()
    final: bool = False
    processes: int = 1

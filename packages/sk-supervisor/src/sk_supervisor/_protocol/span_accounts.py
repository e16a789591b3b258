"""Conversion of a worker's account of its spans to a control message and back."""

from __future__ import annotations

from sk_control import ExporterCounts, SpanCounts
from sk_kernel import ExporterAccount, SpanAccount


def message_of(account: SpanAccount) -> SpanCounts:
    """The message that carries an account."""
    exporters = tuple(
        ExporterCounts(one.kind, one.exported, one.dropped, one.close_failure)
        for one in account.exporters
    )
    return SpanCounts(account.created, exporters, account.final)


def account_of(worker: str, said: SpanCounts) -> SpanAccount:
    """The account in a worker's message."""
    exporters = tuple(
        ExporterAccount(
            kind=one.kind,
            exported=one.exported,
            dropped=dict(one.dropped),
            close_failure=one.close_failure,
        )
        for one in said.exporters
    )
    return SpanAccount(worker=worker, created=said.created, exporters=exporters, final=said.final)

"""What workers say of their spans, and the last word of each, kept past its end."""

from __future__ import annotations

import threading

from sk_control import ExporterCounts, SpanCounts
from sk_kernel import ExporterAccount, SpanAccount


def message_of(account: SpanAccount) -> SpanCounts:
    """The message in which a worker tells its account."""
    exporters = tuple(
        ExporterCounts(one.kind, one.exported, one.dropped, one.close_failure)
        for one in account.exporters
    )
    return SpanCounts(account.created, exporters, account.final)


def account_of(worker: str, said: SpanCounts) -> SpanAccount:
    """The account that a worker has told."""
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


class SpanBooks:
    """The last account of every worker that traces, in the order of their first. Any thread.

    It is not the loop's: a last word counts even where it is heard behind its worker's exit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, SpanAccount] = {}

    def note(self, worker: str, said: SpanCounts) -> None:
        """A worker has told its account; behind a final one it can only be one on its way."""
        account = account_of(worker, said)
        with self._lock:
            known = self._accounts.get(worker)
            if known is None or not known.final:
                self._accounts[worker] = account

    def accounts(self) -> tuple[SpanAccount, ...]:
        """Those of all workers, dead ones among them."""
        with self._lock:
            return tuple(self._accounts.values())

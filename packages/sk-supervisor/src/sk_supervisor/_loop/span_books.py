"""The span accounts of workers: the last report of each, kept after its end."""

from __future__ import annotations

import threading
from collections import Counter

from sk_control import SpanCounts
from sk_kernel import ExporterAccount, SpanAccount

from sk_supervisor._protocol.span_accounts import account_of
from sk_supervisor._protocol.worker_ids import place_of


def summed(first: SpanAccount, then: SpanAccount) -> SpanAccount:
    """Return the sum of two accounts of one place, under the name of the later one."""
    pairs = zip(first.exporters, then.exporters, strict=False)
    both = min(len(first.exporters), len(then.exporters))
    alone = (*first.exporters[both:], *then.exporters[both:])
    return SpanAccount(
        worker=then.worker,
        created=first.created + then.created,
        exporters=(*(_summed_exporter(a, b) for a, b in pairs), *alone),
        final=then.final,
        processes=first.processes + then.processes,
    )


def _summed_exporter(first: ExporterAccount, then: ExporterAccount) -> ExporterAccount:
    return ExporterAccount(
        kind=then.kind,
        exported=first.exported + then.exported,
        dropped=dict(Counter(first.dropped) + Counter(then.dropped)),
        close_failure=then.close_failure or first.close_failure,
    )


class SpanBooks:
    """The last account of each worker that traces, in the order of their first ones. Any thread.

    Reports do not go through the loop: the last one counts even if it comes after its worker's
    exit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, SpanAccount] = {}
        self._sums: dict[tuple[str, bool], SpanAccount] = {}
        """By place, the sums of the final accounts, and of those that were never final."""

    def note(self, worker: str, said: SpanCounts) -> None:
        """Record a worker's account; ignore one that arrives late, after the final one."""
        account = account_of(worker, said)
        with self._lock:
            known = self._accounts.get(worker)
            if known is None or not known.final:
                self._accounts[worker] = account

    def fold(self, worker: str) -> None:
        """Add the account of a worker that will report no more to the sum of its place."""
        with self._lock:
            account = self._accounts.pop(worker, None)
            if account is not None and account.exporters:
                key = place_of(worker), account.final
                before = self._sums.get(key)
                self._sums[key] = account if before is None else summed(before, account)

    def accounts(self) -> tuple[SpanAccount, ...]:
        """Return the accounts of all workers, dead ones included: the oldest of a place summed."""
        with self._lock:
            return *self._sums.values(), *self._accounts.values()

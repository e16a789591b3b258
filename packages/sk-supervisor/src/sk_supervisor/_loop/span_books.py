"""What workers say of their spans: the last word of each, kept past its end."""

from __future__ import annotations

import threading
from collections import Counter

from sk_control import SpanCounts
from sk_kernel import ExporterAccount, SpanAccount

from sk_supervisor._protocol.peers import place_of
from sk_supervisor._protocol.span_accounts import account_of


def summed(first: SpanAccount, then: SpanAccount) -> SpanAccount:
    """Two accounts of one place as one, under the name of the later."""
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
    """The last account of every worker that traces, in the order of their first. Any thread.

    It is not the loop's: a last word counts even where it is heard behind its worker's exit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, SpanAccount] = {}
        self._sums: dict[tuple[str, bool], SpanAccount] = {}
        """Of a place, of those that closed their account and of those that did not."""

    def note(self, worker: str, said: SpanCounts) -> None:
        """A worker has told its account; behind a final one it can only be one on its way."""
        account = account_of(worker, said)
        with self._lock:
            known = self._accounts.get(worker)
            if known is None or not known.final:
                self._accounts[worker] = account

    def fold(self, worker: str) -> None:
        """A worker that will tell no more counts in the sum of its place from now on."""
        with self._lock:
            account = self._accounts.pop(worker, None)
            if account is not None and account.exporters:
                key = place_of(worker), account.final
                before = self._sums.get(key)
                self._sums[key] = account if before is None else summed(before, account)

    def accounts(self) -> tuple[SpanAccount, ...]:
        """Those of all workers, dead ones among them: the earliest of a place as a sum."""
        with self._lock:
            return *self._sums.values(), *self._accounts.values()

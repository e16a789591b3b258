"""Contexts: the data of the run and of a record for a node that asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import MappingProxyType

from msgspec import Struct

from sk_kernel._batch.batch import Batch
from sk_kernel._declare.context import Context
from sk_kernel._record.envelope import EMPTY_HEADERS, Key, root_of
from sk_kernel._record.ids import TraceIds


class Identity(Struct, frozen=True):
    """The identity of a run, and of the group and worker that this process runs."""

    run_id: str
    scenario: str
    group: str
    ids: TraceIds
    worker: int = 0


def contexts_of(batch: Batch, keys: Sequence[Key], run: Identity, node: str) -> Iterator[Context]:
    """Yield the context of each of these records of a batch, in order, for the node ``node``."""
    sampled = batch.sampled
    for key in keys:
        known = batch.correlation(key)
        sequence = root_of(key)
        trace_id = known.trace_id or run.ids.of(sequence)
        headers = MappingProxyType(known.headers) if known.headers else EMPTY_HEADERS
        yield Context(
            run.run_id,
            run.scenario,
            run.group,
            node,
            sequence,
            trace_id,
            known.reply_to,
            headers,
            sequence in sampled,
            key,
        )

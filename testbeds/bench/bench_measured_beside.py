"""What is measured of ours beside the rounds: variants, spans to a receiver, memory, requests."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench_four import Four
from bench_large import no_room, peak_of
from bench_memory import Peak
from bench_otlp import Sent, send
from bench_requests import ask
from bench_results import Results
from bench_session import Plan
from bench_targets import MEMORY_RECORDS
from bench_variant_results import Variants
from bench_variant_session import VariantSession
from bench_variants import PLAIN

Say = Callable[[str], None]


class Asking(NamedTuple):
    """How many requests of each kind in how many rounds, rounds of variants and of spans, records.

    ``variant_rounds``, ``otlp_rounds`` (of spans to a receiver) and ``memory_records`` may be 0,
    which leaves the measurement out.
    """

    requests: int
    request_rounds: int
    variant_rounds: int
    otlp_rounds: int
    memory_records: int


class Before(NamedTuple):
    """What was measured; of memory the peaks by records, or why there are none."""

    variants: Variants | None = None
    sent: Sent | None = None
    peaks: tuple[tuple[int, Peak], ...] = ()
    no_large: str = ""

    def put_into(self, results: Results) -> None:
        """Add it to what the rounds of the session found."""
        results.variants, results.sent, results.no_large = self.variants, self.sent, self.no_large
        results.peaks |= {(PLAIN, records): peak for records, peak in self.peaks}


def measure_before(asking: Asking, plan: Plan, say: Say) -> Before:
    """Measure variants, with the most records of a plan, spans to a receiver, and memory.

    Where four processes are in the plan. Before its rounds: these runs are unlike all others, and a
    session should not fail by them at its end.

    :raises RunFailedError: when a run of four processes fails.
    :raises ProbeFailedError: when the runs with a receiver do.
    """
    if all(system.name != PLAIN for system in plan.systems):
        return Before()
    variants = sent = None
    if asking.variant_rounds:
        with _four(plan) as (four, folder):
            session = VariantSession(four, folder, max(plan.records), say)
            variants = session.run(asking.variant_rounds)
    if asking.otlp_rounds:
        sent = send(asking.otlp_rounds, plan.timeout_seconds)
        say(f"OTLP: {sent}")
    return _memory(asking.memory_records, plan, say)._replace(variants=variants, sent=sent)


def measure_after(asking: Asking, plan: Plan, results: Results, say: Say) -> None:
    """Measure requests, where a plan has systems.

    :raises ProbeFailedError: when they fail.
    """
    if plan.systems:
        for _ in range(asking.request_rounds):
            asked = ask(asking.requests, plan.timeout_seconds)
            say(f"requests: {asked}")
            results.asked = [*results.asked, asked]


def _memory(records: int, plan: Plan, say: Say) -> Before:
    """Of more records than the plan has, where it has those that they are compared with."""
    if records <= max(plan.records) or MEMORY_RECORDS not in plan.records:
        return Before()
    with _four(plan) as (four, folder):
        lacks = no_room(records, folder)
        if not lacks:
            return Before(peaks=((records, peak_of(records, four, say)),))
    say(f"memory: no run of {records:,}: {lacks}")
    return Before(no_large=f"no run of {records:,}: {lacks}")


@contextmanager
def _four(plan: Plan) -> Iterator[tuple[Four, Path]]:
    """Four processes, and the folder that they have for as long as this is entered."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        yield Four(Path(name), plan.seed, plan.timeout_seconds), Path(name)

"""How large batches become: as large as they may, but not at once, and only if they are filled."""

from __future__ import annotations

from typing import Any

import pytest
from sk_kernel.runtime import ApplicationContext, BatchLimits, MemoryRun

ADAPTERS = """
ASKED, GIVES, LEFT = [], 10**9, []

@source()
class Numbers:
    def open(self): ...
    def read(self, max_records, max_bytes) -> list[A]:
        ASKED.append(max_records)
        given = LEFT[:min(max_records, GIVES)]
        del LEFT[:len(given)]
        return given
    def interrupt(self): ...
    def close(self): ...

@sink()
class Out:
    def open(self): ...
    def write(self, payloads: list[D]): ...
    def commit(self): ...
    def abort(self): ...
    def partial_outputs(self): return ()
    def summary(self): return {}

@node
def f(a: A) -> D: return D(str(a.n))
"""


@pytest.fixture
def asked(declare: Any, spec_of: Any) -> Any:
    """Gives what a source of so many records is asked for, batch by batch."""
    module = declare(ADAPTERS)

    def run(records: int, limits: BatchLimits, gives: int = 10**9) -> list[int]:
        module.LEFT[:], module.GIVES = [module.A(n) for n in range(records)], gives
        report = MemoryRun(ApplicationContext(spec_of(module)), "run", limits=limits).run()
        assert (report.records_in, report.records_out) == (records, records)
        return list(module.ASKED)

    return run


def test_batches_that_are_filled_double_up_to_the_limit(asked: Any) -> None:
    """So a short input is shared out among the groups, and a long one has few batches."""
    assert asked(12_000, BatchLimits(max_records=5000)) == [1000, 2000, 4000, 5000, 5000]


def test_a_source_that_does_not_fill_its_batches_is_asked_for_no_more(asked: Any) -> None:
    """It is slower than the sink, or its records are large."""
    assert asked(1600, BatchLimits(max_records=5000), gives=500) == [1000] * 5


def test_a_limit_that_is_small_holds_from_the_first_batch_on(asked: Any) -> None:
    assert asked(20, BatchLimits(max_records=7)) == [7, 7, 7, 7]

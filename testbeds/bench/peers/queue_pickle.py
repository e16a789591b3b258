"""Four processes and three ``multiprocessing.Queue``, batches of 1 000 records, pickled.

python queue_pickle.py RULES INPUT OUTPUT REJECTS
"""

from __future__ import annotations

import multiprocessing as mp
import sys
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

from fund_load import RULE_SETS, Features, Policies, Rules, Writer, read_attempts, told

DEPTH = 8
Stage = Callable[[Rules], Callable[[Any], Any]]


def ingress(source: str, out: Queue[Any], up: Barrier) -> None:
    """Read lines to attempts."""
    up.wait()
    for batch in read_attempts(source):
        out.put(batch)
    out.put(None)


def transform(make: Stage, rules: str, come: Queue[Any], out: Queue[Any], up: Barrier) -> None:
    """Put every record through one stage."""
    stage = make(RULE_SETS[rules])
    up.wait()
    while (batch := come.get()) is not None:
        out.put([stage(record) for record in batch])
    out.put(None)


def egress(output: str, rejects: str, come: Queue[Any], up: Barrier) -> None:
    """Write the decisions."""
    writer = Writer(output, rejects)
    up.wait()
    while (batch := come.get()) is not None:
        writer.write(batch)
    writer.close()


def main() -> int:
    """Run the four to their end; 1 when one of them failed."""
    rules, source, output, rejects = told()
    context = mp.get_context("spawn")
    attempts, featured, decided = (context.Queue(DEPTH) for _ in range(3))
    up = context.Barrier(4)
    processes = [
        context.Process(target=ingress, args=(source, attempts, up)),
        context.Process(target=transform, args=(Features, rules, attempts, featured, up)),
        context.Process(target=transform, args=(Policies, rules, featured, decided, up)),
        context.Process(target=egress, args=(output, rejects, decided, up)),
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return int(any(process.exitcode for process in processes))


if __name__ == "__main__":
    sys.exit(main())

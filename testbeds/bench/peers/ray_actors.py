"""Ray: four actors, batches of 1 000 records passed as references, at most 16 in flight.

python ray_actors.py RULES INPUT OUTPUT REJECTS
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from typing import Any

import ray
from fund_load import RULE_SETS, Features, Policies, Rules, Writer, read_attempts, told

IN_FLIGHT = 16
OBJECT_STORE_BYTES = 512 << 20


class Ingress:
    """Lines to attempts."""

    def __init__(self, source: str) -> None:
        self._batches = read_attempts(source)

    def up(self) -> bool:
        """Say that it is there."""
        return True

    def next(self) -> Any:
        """Give the next batch, or None."""
        return next(self._batches, None)


class Transform:
    """One stage."""

    def __init__(self, make: Callable[[Rules], Callable[[Any], Any]], rules: str) -> None:
        self._stage = make(RULE_SETS[rules])

    def up(self) -> bool:
        """Say that it is there."""
        return True

    def apply(self, batch: Any) -> Any:
        """Put a batch through."""
        return None if batch is None else [self._stage(record) for record in batch]


class Egress:
    """Decisions to files."""

    def __init__(self, output: str, rejects: str) -> None:
        self._writer = Writer(output, rejects)
        self._closed = False

    def up(self) -> bool:
        """Say that it is there."""
        return True

    def write(self, batch: Any) -> bool:
        """Write a batch; False, and the files are finished, when there is none."""
        if batch is None and not self._closed:
            self._closed = True
            self._writer.close()
        if batch is not None:
            self._writer.write(batch)
        return batch is not None


def main() -> None:
    """Chain the four."""
    rules, source, output, rejects = told()
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=OBJECT_STORE_BYTES,
    )
    actor = ray.remote(num_cpus=0)
    ingress, egress = actor(Ingress).remote(source), actor(Egress).remote(output, rejects)
    transform = actor(Transform)
    features, policies = transform.remote(Features, rules), transform.remote(Policies, rules)
    ray.get([actor.up.remote() for actor in (ingress, features, policies, egress)])
    pending: deque[Any] = deque()
    more = True
    while more:
        batch = features.apply.remote(ingress.next.remote())
        pending.append(egress.write.remote(policies.apply.remote(batch)))
        if len(pending) >= IN_FLIGHT:
            more = ray.get(pending.popleft())
    ray.shutdown()


if __name__ == "__main__":
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    main()

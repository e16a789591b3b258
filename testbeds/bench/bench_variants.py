"""Four processes with one thing more, or less: what that one thing costs.

Each variant runs beside four processes as they are: a run of these, two variants, a run of these
again, and so on. So each variant has one shortly before and one shortly after it, and is compared
with the mean of the two. What the machine does slowly, it does to both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench_systems import SOURCES

PLAIN: Final = "four"
UNSIGNED_MODULES: Final = Path(__file__).parents[1] / "attacks" / "unsigned"
"""On the path of Python these take the HMAC out of what signs and verifies."""
_BETWEEN: Final = 2
_OBSERVABILITY: Final = "runtime.observability"


class Place(NamedTuple):
    """Where a run may leave a file, and a port that it may listen on."""

    left: Path
    port: int


@dataclass(frozen=True)
class Variant:
    """What is set, in the configuration and in the environment.

    ``leaves``: it writes a file at its place; ``scraped``: it listens at its port, and is asked for
    its metrics once a second. A run that does not is no run of the variant. ``accounted``: what
    it does more is in the account of its runs.
    """

    name: str
    title: str
    settings: Callable[[Place], Mapping[str, Any]] = lambda _: {}
    leaves: bool = False
    scraped: bool = False
    accounted: bool = False
    variables: Mapping[str, str] = field(default_factory=dict, hash=False)

    def overrides(self, place: Place) -> list[str]:
        """Give the settings as the words of a command line."""
        return [f"{key}={json.dumps(value)}" for key, value in self.settings(place).items()]


def _jsonl(place: Place) -> list[dict[str, Any]]:
    return [{"kind": "jsonl", "settings": {"path": str(place.left)}}]


VARIANTS: Final[Sequence[Variant]] = (
    Variant(
        "tracing",
        "tracing at 1 %, to a file",
        lambda place: {
            f"{_OBSERVABILITY}.tracing": {"sampling_ratio": 0.01, "exporters": _jsonl(place)}
        },
        leaves=True,
        accounted=True,
    ),
    Variant(
        "logs",
        "lifecycle logs, to a file",
        lambda place: {f"{_OBSERVABILITY}.logging.exporters": _jsonl(place)},
        leaves=True,
        accounted=True,
    ),
    Variant(
        "metrics",
        "metrics, scraped once a second",
        lambda place: {
            f"{_OBSERVABILITY}.metrics.prometheus": True,
            "runtime.platform.health.http": {"bind_host": "127.0.0.1", "bind_port": place.port},
        },
        scraped=True,
        accounted=True,
    ),
    Variant(
        "unsigned",
        "without the HMAC of signatures",
        variables={"PYTHONPATH": os.pathsep.join(map(str, (UNSIGNED_MODULES, SOURCES)))},
    ),
)


def round_of(number: int, variants: Sequence[Variant] = VARIANTS) -> list[Variant | None]:
    """Give the runs of a round in order; None is four processes as they are.

    One of these goes before the first round, and ends each. Each round begins with another
    variant: none always has the same neighbour.
    """
    shift = number % len(variants)
    turned = [*variants[shift:], *variants[:shift]]
    order: list[Variant | None] = []
    for first in range(0, len(turned), _BETWEEN):
        order += [*turned[first : first + _BETWEEN], None]
    return order

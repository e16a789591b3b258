"""The systems that are compared, each as a command line that does the same job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

PEERS = Path(__file__).with_name("peers")
SOURCES = PEERS.parents[2] / "packages" / "sk-fundload" / "src"
YARDSTICKS: Mapping[str, str] = {"exp_mp": "hand_loop", "baseline": "hand_loop_baseline"}
"""By rule set: the system that the others with the same rules are measured by."""

BEAM_RECORDS = 100_000
SLOW_ROUNDS = 3
"""What is slow runs in the first so many rounds only."""
START_UP_RECORDS = 1_000
"""The size at which nothing but start and end counts: whole processes only (P4)."""


class Job(NamedTuple):
    """One run's rule set and files."""

    rules: str
    source: Path
    output: Path
    rejects: Path


@dataclass(frozen=True)
class System:
    """A way to do the job.

    ``environment`` names the peer's requirements file and virtual environment (None: that of this
    program). Above ``max_records`` it is not run. ``start_up``: it runs at `START_UP_RECORDS` too,
    or, where ``writes`` is false, there alone and without output. ``foreign``: it is no part of
    this repository, so that where it fails it is absent. ``slow``: it runs at its largest size
    only, and in the first `SLOW_ROUNDS` only. ``variables`` of the environment are set for it.
    """

    name: str
    title: str
    arguments: Callable[[Job], Sequence[str]]
    rules: str = "exp_mp"
    environment: str | None = None
    max_records: int | None = None
    ours: bool = False
    start_up: bool = False
    writes: bool = True
    foreign: bool = False
    slow: bool = False
    variables: Mapping[str, str] = field(default_factory=dict, hash=False)

    def sizes(self, records: Sequence[int]) -> tuple[int, ...]:
        """Which of the sizes it runs at, the start-up size among them where it is meant to."""
        most = self.max_records
        sizes = [n for n in records if self.writes and (most is None or n <= most)]
        if self.slow:
            sizes = sizes[-1:]
        return tuple(sorted({*sizes, *([START_UP_RECORDS] if self.start_up else [])}))


def workload(profile: str, *overrides: str) -> Callable[[Job], Sequence[str]]:
    """Give the arguments of fund load in one of our profiles, as far as they hang on the job."""

    def arguments(job: Job) -> Sequence[str]:
        words = ["-m", "sk_fundload", "run", "--rules", job.rules, "--profile", profile]
        words += ["--input", str(job.source), "--output", str(job.output)]
        words += ["--rejects", str(job.rejects)]
        return [*words, *(word for override in overrides for word in ("--set", override))]

    return arguments


def _peer(program: str) -> Callable[[Job], Sequence[str]]:
    def arguments(job: Job) -> Sequence[str]:
        files = (job.source, job.output, job.rejects)
        return [str(PEERS / program), job.rules, *map(str, files)]

    return arguments


def _probe(_job: Job) -> Sequence[str]:
    return [str(PEERS / "spawn_probe.py")]


_WORKERS = "runtime.platform.process_groups[{}].workers=2"
_HAND = _peer("hand_loop.py")
_FOUR = workload("multiprocess")
# Features by id, policies by customer. The prime gate of exp_mp counts over all customers, a global
# state that preflight keeps in one worker: so the keyed policies run under the baseline rules.
_KEYED = workload("multiprocess", _WORKERS.format(1), _WORKERS.format(2))

SYSTEMS: Sequence[System] = (
    System("hand_loop", "H: hand-written loop, GC off", _HAND, start_up=True),
    System("memory", "ours: memory profile", workload("memory"), ours=True),
    System("four", "ours: four processes", _FOUR, ours=True, start_up=True),
    System("hand_loop_baseline", "H under baseline rules", _HAND, "baseline"),
    System("four_baseline", "ours: four processes, baseline", _FOUR, "baseline", ours=True),
    System(
        "keyed_baseline",
        "ours: 1+2+2+1 keyed workers, baseline",
        _KEYED,
        "baseline",
        ours=True,
    ),
    System("queue", "multiprocessing.Queue, pickled batches", _peer("queue_pickle.py")),
    System("zmq", "zmq pipeline by hand, signed", _peer("zmq_pipeline.py"), environment="zmq"),
    System("bytewax", "Bytewax", _peer("bytewax_flow.py"), environment="bytewax"),
    System("ray", "Ray actors", _peer("ray_actors.py"), environment="ray"),
    System(
        "beam",
        "Apache Beam, in-process runner",
        _peer("beam_pipeline.py"),
        environment="beam",
        max_records=BEAM_RECORDS,
    ),
    System("pathway", "Pathway", _peer("pathway_flow.py"), environment="pathway"),
    System("spawn_probe", "bare spawn of four workers", _probe, start_up=True, writes=False),
)

SHORT = ("hand_loop", "memory", "four", "spawn_probe")
"""The systems of the short form."""


def chosen(names: Sequence[str]) -> tuple[System, ...]:
    """Give the named systems in the table's order, and the yardsticks that they need.

    :raises KeyError: for a name that is none.
    """
    by_name = {system.name: system for system in SYSTEMS}
    wanted = {by_name[name] for name in names}
    needed = {by_name[YARDSTICKS[system.rules]] for system in wanted if system.writes}
    return tuple(system for system in SYSTEMS if system in wanted | needed)

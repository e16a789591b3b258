"""The specification's programs beside ours: those by whose speed the targets were set.

They are not of this repository. A folder has them, with a generator and rules of their own; what
they have in common is how they are called, and that each tells its steady time at its end. They are
run where they lie, and nothing is written there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

from bench_environments import AbsentError
from bench_results import Results
from bench_session import Generator
from bench_systems import BEAM_RECORDS, SYSTEMS, Job, System
from bench_target_table import PROGRAMS as TARGETS
from bench_targets import Row, Verdict, evaluate

FOLDER: Final = Path(__file__).resolve().parents[3] / "shared" / "peers"
"""Where they are looked for, if nothing else is said: ``../shared/peers`` beside the checkout."""
RECORDS: Final = (100_000, 1_000_000)
HAND: Final = "spec_hand"
"""The yardstick: their hand-written loop."""
OURS: Final = ("memory", "four")
NO_FOLDER: Final = "no folder of programs"
NOT_ASKED: Final = "not asked for: some systems only, and no --programs"
_GENERATOR: Final = "gen.py"


class Program(NamedTuple):
    """One of them: its file, the words before its rules and files, and what it needs."""

    name: str
    title: str
    file: str
    words: tuple[str, ...] = ()
    environment: str | None = None
    most: int | None = None
    collects: bool = True
    slow: bool = False


PROGRAMS: Sequence[Program] = (
    Program(HAND, "H: hand-written loop, GC off", "hand_msgspec.py", collects=False),
    Program(
        "spec_zmq",
        "zmq pipeline, signed, GC off",
        "pipe_zmq.py",
        ("ipc-hmac",),
        environment="zmq",
        collects=False,
    ),
    Program("spec_queue", "multiprocessing.Queue, pickled batches", "pipe_mpq.py", ("batch",)),
    Program(
        "spec_bytewax",
        "Bytewax, batch operators, one worker",
        "bw_flow.py",
        ("batch-1w",),
        environment="bytewax",
    ),
    Program("spec_ray", "Ray actors", "ray_actors.py", environment="ray", slow=True),
    Program(
        "spec_beam",
        "Apache Beam, in-process runner, stateful",
        "beam_flow.py",
        ("state",),
        environment="beam",
        most=BEAM_RECORDS,
    ),
    Program("spec_pathway", "Pathway", "pw_flow.py", environment="pathway", slow=True),
)
"""With the ways to run them that `performance.md` has its targets from."""


@dataclass(frozen=True)
class Programs:
    """What came of them. ``absent`` says why there is nothing, where there is nothing."""

    systems: Sequence[System] = ()
    results: Results = field(default_factory=lambda: Results(()))
    input_sha256: Mapping[int, str] = field(default_factory=dict)
    absent: str = ""

    @property
    def differing(self) -> list[str]:
        """The systems that wrote other bytes than the yardstick, and the sizes."""
        return [
            f"{system.name} on the specification's input ({records:,})"
            for system in self.systems
            for records in system.sizes(self.results.records)
            if self.identical(system, records) is False
        ]

    def identical(self, system: System, records: int) -> bool | None:
        """Tell whether all runs wrote the yardstick's output; None where nothing was compared.

        Their programs write no rejects. At a size that the yardstick did not run at, runs are
        compared with each other.
        """
        runs = self.results.runs
        own, theirs = (runs.get((name, records), []) for name in (system.name, HAND))
        wrote = {run.output_sha256 for run in (*own, *theirs)}
        return len(wrote) == 1 and None not in wrote if own else None

    def rows(self) -> list[Row]:
        """Give the targets as they were found."""
        if self.absent:
            return [Row(target, None, self.absent, Verdict.UNKNOWN) for target in TARGETS]
        return evaluate(self.results, TARGETS)


def systems_of(folder: Path) -> list[System]:
    """Give ours, and the programs of a folder."""
    ours = [replace(system, start_up=False) for system in SYSTEMS if system.name in OURS]
    return [*ours, *(_system(program, folder) for program in PROGRAMS)]


def has_generator(folder: Path) -> bool:
    """Tell whether a folder is one of programs, as far as their input goes."""
    return (folder / _GENERATOR).is_file()


def generator_of(folder: Path) -> Generator:
    """Give the generator of a folder. Its seed is its own: that which their figures are of."""
    return lambda records, _seed, path: [str(folder / _GENERATOR), str(records), str(path)]


def _system(program: Program, folder: Path) -> System:
    path = folder / program.file

    def arguments(job: Job) -> Sequence[str]:
        if not path.is_file():
            raise AbsentError(f"there is no {program.file} in the folder")
        files = (str(job.source), str(job.output))
        return [str(path), *program.words, job.rules, *files]

    return System(
        program.name,
        program.title,
        arguments,
        environment=program.environment,
        max_records=program.most,
        foreign=True,
        slow=program.slow,
        variables={} if program.collects else {"PEERS_NOGC": "1"},
    )

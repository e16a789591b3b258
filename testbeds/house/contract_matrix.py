"""The contract matrix: from what the tests of each id came to, to a verdict on every id and engine.

Pure functions over values. A verdict is ``passed``, ``failed``, ``skipped`` (for a dated reason) or
``missing`` (no test); an engine that an id does not apply to has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from contract_catalogue import Catalogue, Contract

SCHEMA = 1
DATED = re.compile(r"\b20\d\d-[01]\d-[0-3]\d\b")


@dataclass(frozen=True)
class MarkedTest:
    """A test that was collected: its node id, the ids that it proves, its engine if it has one."""

    nodeid: str
    ids: tuple[str, ...]
    engine: str


@dataclass(frozen=True)
class Outcome:
    """What came of a test: ``passed``, ``failed``, ``skipped``, ``xfailed`` or ``not run``."""

    outcome: str
    seconds: float = 0.0
    reason: str = ""


NOT_RUN = Outcome("not run")


@dataclass(frozen=True)
class Proof:
    """A test of one id, and what came of it."""

    test: str
    engine: str
    outcome: str
    seconds: float
    reason: str

    @property
    def undated(self) -> bool:
        """Whether it was passed over without a dated reason."""
        passed_over = self.outcome in ("skipped", "xfailed")
        return passed_over and DATED.search(self.reason) is None


def document(
    catalogue: Catalogue,
    tests: Sequence[MarkedTest],
    outcomes: Mapping[str, Outcome],
    phase: str | None = None,
    broken: Sequence[str] = (),
) -> dict[str, Any]:
    """Everything that the report says, as JSON; ``broken`` are modules that were not collected."""
    rows = [
        _row(contract, list(_proofs(contract.id, tests, outcomes)))
        for contract in catalogue.of_phase(phase)
    ]
    faults = [f"{module}: not collected" for module in broken]
    faults += [f"{row['id']}: {fault}" for row in rows for fault in row["faults"]]
    return {
        "schema": SCHEMA,
        "ok": not faults,
        "phase": phase,
        "phases": {key: what for key, what in catalogue.phases.items() if phase in (None, key)},
        "engines": dict(catalogue.engines),
        "faults": faults,
        "contracts": rows,
    }


def verdict(proofs: Sequence[Proof]) -> str:
    """What these tests of one claim come to together."""
    outcomes = {proof.outcome for proof in proofs}
    if not outcomes:
        return "missing"
    if outcomes & {"failed", "not run"} or any(proof.undated for proof in proofs):
        return "failed"
    return "passed" if "passed" in outcomes else "skipped"


def _proofs(
    wanted: str, tests: Sequence[MarkedTest], outcomes: Mapping[str, Outcome]
) -> Iterator[Proof]:
    for test in tests:
        if wanted in test.ids:
            came = outcomes.get(test.nodeid, NOT_RUN)
            seconds = round(came.seconds, 3)
            yield Proof(test.nodeid, test.engine, came.outcome, seconds, came.reason)


def _row(contract: Contract, proofs: Sequence[Proof]) -> dict[str, Any]:
    engines = {
        name: verdict([proof for proof in proofs if proof.engine == name])
        for name in contract.engines
    }
    verdicts = {verdict(proofs), *engines.values()}
    result = next(v for v in ("missing", "failed", "skipped", "passed") if v in verdicts)
    return {
        **asdict(contract),
        "result": result,
        "engines": engines,
        "seconds": round(sum(proof.seconds for proof in proofs), 3),
        "faults": list(_faults(engines, proofs)),
        "tests": [asdict(proof) for proof in proofs],
    }


def _faults(engines: Mapping[str, str], proofs: Sequence[Proof]) -> Iterator[str]:
    if not proofs:
        yield "no test"
        return
    missing = [name for name, came in engines.items() if came == "missing"]
    if missing:
        yield f"no test on {', '.join(missing)}"
    for proof in proofs:
        if proof.outcome in ("failed", "not run"):
            yield f"{proof.outcome}: {proof.test}"
        elif proof.undated:
            yield f"{proof.outcome} without a dated reason: {proof.test}"

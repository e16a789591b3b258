"""One case of the comparison: every program once on one input, both profiles once a round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from parity import Fingerprint, ParityCase, RunFailure, compare, fingerprint, merge_rounds
from parity_runs import PROFILES, Produced, RunFailedError, Runs

RULE_SETS = ("baseline", "exp_mp")
GIVEN_RULES = "baseline"


@dataclass(frozen=True)
class ParityInput:
    """An input to compare on; `given` is an output that came with it, under the baseline rules."""

    label: str
    path: Path
    given: bytes | None = None


@dataclass(frozen=True)
class _Expected:
    """What is the same in all rounds of a case: everything that no profile wrote."""

    rules: str
    source: ParityInput
    input: Fingerprint
    reference: Produced
    counts: Mapping[str, int]


def compare_runs(runs: Runs, rules: str, source: ParityInput, rounds: int = 1) -> ParityCase:
    """Run the reference once and both profiles `rounds` times; give the case.

    A profile's run that fails is part of the case. Raises `RunFailedError` if the reference does.
    """
    reference, counts = runs.reference(rules, source.path)
    facts = fingerprint(source.label, source.path.read_bytes())
    expected = _Expected(rules, source, facts, reference, counts)
    return merge_rounds([_round(runs, expected) for _ in range(rounds)])


def _round(runs: Runs, expected: _Expected) -> ParityCase:
    produced: dict[str, Produced] = {}
    failures: list[RunFailure] = []
    for profile in PROFILES:
        try:
            produced[profile] = runs.workload(expected.rules, profile, expected.source.path)
        except RunFailedError as fault:
            failures.append(RunFailure(fault.label, fault.exit_code, fault.stderr))
    produced["reference"] = expected.reference
    outputs = {label: made.output for label, made in produced.items()}
    if expected.source.given is not None and expected.rules == GIVEN_RULES:
        outputs["given"] = expected.source.given
    return ParityCase(
        rules=expected.rules,
        input=expected.input,
        counts=expected.counts,
        outputs=compare(outputs),
        rejects=compare({label: made.rejects for label, made in produced.items()}),
        failures=tuple(failures),
    )

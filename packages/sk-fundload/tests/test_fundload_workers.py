"""Several workers of one group: by id and by customer, the output stays what it is."""

from __future__ import annotations

import pytest
from msgspec import convert
from sk_config import application_data
from sk_fundload._setup import configuration
from sk_fundload.generator import generate
from sk_fundload.messages import OutputLine, RawLine
from sk_kernel import ApplicationSpec, PreflightError
from sk_kernel.testing import run_application, run_placed

FEATURES, POLICY = "execution.features", "execution.policy"


def application(rules: str) -> tuple[ApplicationSpec, dict[str, str]]:
    """Fund load under a rule set, and its four groups."""
    config = configuration(rules=rules, profile="multiprocess", file=None, overrides=(), places={})
    spec = convert({**application_data(config), "source": None, "sink": None}, ApplicationSpec)
    groups = config.runtime.platform.process_groups
    return spec, {node: group.name for group in groups for node in group.nodes}


def lines(count: int) -> list[RawLine]:
    data = b"".join(generate(count, seed=11, dirty=True)).splitlines()
    return [RawLine(number, line) for number, line in enumerate(data, 1)]


@pytest.mark.contract("P5PRE-EXEC-05")
@pytest.mark.parametrize("policy", [2, 3, 4])
@pytest.mark.parametrize("batch", [7, 1000])
def test_baseline_on_keyed_workers_gives_the_output_of_memory(policy: int, batch: int) -> None:
    spec, groups = application("baseline")
    given = lines(2_000)
    expected = run_application(spec, given)
    got = run_placed(
        spec, given, groups, workers={FEATURES: 2, POLICY: policy}, batch_records=batch
    )
    assert got == expected
    assert sum(isinstance(line, OutputLine) and not line.reason for line in got) > 100


@pytest.mark.contract("P5PRE-EXEC-05")
def test_the_global_state_of_the_prime_gate_is_refused_on_several_workers() -> None:
    spec, groups = application("exp_mp")
    with pytest.raises(PreflightError) as caught:
        run_placed(spec, lines(1), groups, workers={POLICY: 2})
    refused = {fault.path: fault for fault in caught.value.faults}
    assert refused["evaluate_policies"].category == "global_state"
    assert "workers: 1 for its group execution.policy" in refused["evaluate_policies"].expected

"""What these tests share: the nodes as one chain, configured as a built-in configuration says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from sk_config import Config
from sk_fundload._setup import configuration
from sk_fundload.messages import Decision, LoadAttempt, OutputLine, RawLine, Unreadable
from sk_fundload.nodes import (
    ComputeFeatures,
    ComputeTimeKeys,
    CustomerWindows,
    EvaluatePolicies,
    FeatureSettings,
    FirstAttempts,
    FormatOutput,
    GateSettings,
    IdempotencyGate,
    NewestDay,
    ParseLoadAttempt,
    PolicySettings,
    PrimeDays,
    ReadSettings,
    TimeKeySettings,
    UpdateWindows,
    WindowSettings,
)


class Chain:
    """All nodes in a row, in this process, without a runtime."""

    def __init__(self, config: Config) -> None:
        self._settings = config.nodes
        windows, primes = CustomerWindows(), PrimeDays()
        self.windows, self.primes, self.first = windows, primes, FirstAttempts()
        reading = self._of("parse_load_attempt", ReadSettings)
        self._parse = ParseLoadAttempt(reading, NewestDay() if reading.retention_days else None)
        self._keys = ComputeTimeKeys(self._of("compute_time_keys", TimeKeySettings))
        self._gate = IdempotencyGate(self._of("idempotency_gate", GateSettings), self.first)
        self._features = ComputeFeatures(self._of("compute_features", FeatureSettings))
        self._evaluate = EvaluatePolicies(
            self._of("evaluate_policies", PolicySettings), windows, primes
        )
        self._update = UpdateWindows(self._of("update_windows", WindowSettings), windows, primes)
        self._format = FormatOutput()
        self._lines = 0

    def _of(self, node: str, model: type) -> Any:
        return msgspec.convert(dict(self._settings.get(node, {})), model)

    def decide(self, line: bytes) -> Decision | Unreadable:
        """What becomes of the next line."""
        self._lines += 1
        read = self._parse(RawLine(self._lines, line))
        if not isinstance(read, LoadAttempt):
            return read
        featured = self._features(self._gate(self._keys(read)))
        return self._update(self._evaluate(featured))

    def output(self, line: bytes) -> OutputLine:
        """The line of output for the next line."""
        return self._format(self.decide(line))

    def reasons(self, attempts: Iterable[tuple[str, str, str, str]]) -> list[str]:
        """The reasons of attempts given as (id, customer, amount, time)."""
        names = ("id", "customer_id", "load_amount", "time")
        lines = (
            json.dumps(dict(zip(names, attempt, strict=True))).encode() for attempt in attempts
        )
        return [self.decide(line).reason for line in lines]


MakeChain = Callable[..., Chain]


@pytest.fixture(scope="session")
def make_chain() -> MakeChain:
    """Makes a chain for a rule set, with overrides."""

    def make(rules: str = "baseline", *overrides: str) -> Chain:
        return Chain(
            configuration(rules=rules, profile="memory", file=None, overrides=overrides, places={})
        )

    return make

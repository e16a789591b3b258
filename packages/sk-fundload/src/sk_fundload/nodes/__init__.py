"""The nodes of fund load, one per module, and their states."""

from __future__ import annotations

from sk_fundload.nodes._compute_features import ComputeFeatures, FeatureSettings
from sk_fundload.nodes._compute_time_keys import ComputeTimeKeys, TimeKeySettings
from sk_fundload.nodes._evaluate_policies import EvaluatePolicies, PolicySettings, PrimeGate
from sk_fundload.nodes._format_output import FormatOutput
from sk_fundload.nodes._idempotency_gate import GateSettings, IdempotencyGate
from sk_fundload.nodes._parse_load_attempt import ParseLoadAttempt, ReadSettings
from sk_fundload.nodes._states import CustomerWindows, FirstAttempts, NewestDay, PrimeDays
from sk_fundload.nodes._update_windows import UpdateWindows, WindowSettings

__all__ = [
    "ComputeFeatures",
    "ComputeTimeKeys",
    "CustomerWindows",
    "EvaluatePolicies",
    "FeatureSettings",
    "FirstAttempts",
    "FormatOutput",
    "GateSettings",
    "IdempotencyGate",
    "NewestDay",
    "ParseLoadAttempt",
    "PolicySettings",
    "PrimeDays",
    "PrimeGate",
    "ReadSettings",
    "TimeKeySettings",
    "UpdateWindows",
    "WindowSettings",
]

"""What the sessions leave behind, made up: something of every kind, and text to be escaped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HOSTILE = "<script>alert('no')</script>"
SHA = "0123456789abcdef" * 4
_STORY = (
    "worker_spawned",
    "worker_bootstrap_loaded",
    "worker_ready",
    "worker_running",
    "worker_drained",
    "worker_stopping",
    "worker_stopped",
)


def file(label: str) -> dict[str, Any]:
    return {"label": label, "sha256": SHA, "size": 50_756, "lines": 1_000}


def case(rules: str, *, ok: bool = True) -> dict[str, Any]:
    labels = ("memory", "multiprocess", "reference")
    difference = {"line_no": 7, "lines": {"memory": HOSTILE, "multiprocess": None}}
    compared = {
        "byte_equal": ok,
        "normalised_equal": ok,
        "files": [file(label) for label in labels],
        "differences": [] if ok else [difference],
    }
    return {
        "rules": rules,
        "ok": ok,
        "rounds": 1,
        "failed_rounds": [],
        "input": file("generated 1000, seed 1"),
        "counts": {"accepted": 753, "DAILY_AMOUNT_LIMIT": 247},
        "outputs": compared,
        "rejects": compared,
        "failures": [] if ok else [{"label": "multiprocess", "exit_code": 4}],
    }


def parity(*, ok: bool = True) -> dict[str, Any]:
    cases = [case("baseline"), case("exp_mp", ok=ok)]
    return {"schema": 1, "ok": ok, "environment": {}, "reference_data": "present", "cases": cases}


def smoke() -> dict[str, Any]:
    one = {
        "ok": True,
        "seconds": {"memory": 0.5, "multiprocess": 1.25},
        "outputs": [file("memory"), file("multiprocess")],
        "rejects": [file("memory"), file("multiprocess")],
    }
    telemetry = {
        "ok": True,
        "records": 1_000,
        "whole": 1_000,
        "created": 11_010,
        "exported": {"jsonl": 11_010, "otel_otlp": 11_010},
        "dropped": 0,
        "written": 11_010,
        "received": 11_010,
        "problems": [],
    }
    return {
        "schema": 1,
        "ok": True,
        "environment": {},
        "input": file("generated 1000, seed 1"),
        "telemetry": telemetry,
        "cases": [{"rules": "baseline", **one}, {"rules": "exp_mp", **one}],
    }


def floors(*, ok: bool = True) -> dict[str, Any]:
    verdict = "met" if ok else "BELOW THE FLOOR"
    row = {"id": "P2", "what": "four processes by H", "target": 1.05, "verdict": verdict}
    wanted = {**row, "at_most": False, "figure": {"value": 1.131}}
    unknown = {**row, "at_most": True, "figure": None, "unit": "x"}
    return {
        "schema": 1,
        "ok": ok,
        "targets": [{**wanted, "floor": 0.85}, {**unknown, "floor": None}],
    }


def contract(name: str, result: str, **engines: str) -> dict[str, Any]:
    proof = {
        "test": f"tests/test_it.py::test_{name}[four_groups]",
        "engine": "",
        "outcome": "passed",
        "seconds": 0.25,
        "reason": "",
    }
    return {
        "id": name,
        "phase": "0" if not engines else "2",
        "package": "sk-kernel",
        "says": f"{name} says | this, whatever the width of the screen it is read on",
        "engines": engines,
        "result": result,
        "seconds": 0.25,
        "faults": [] if result == "passed" else [f"{result}: {HOSTILE}"],
        "tests": [] if result == "missing" else [proof],
    }


def contracts(*, ok: bool = False) -> dict[str, Any]:
    everywhere = dict.fromkeys(("memory", "one_group", "four_groups", "several_workers"), "passed")
    rows = [contract("CFG-01", "passed"), contract("PROC-01", "passed", **everywhere)]
    if not ok:
        rows.append(contract("PROC-02", "failed", **{**everywhere, "four_groups": "failed"}))
        rows.append(contract("PROC-03", "missing", **dict.fromkeys(everywhere, "missing")))
    return {
        "schema": 1,
        "ok": ok,
        "phase": None,
        "phases": {"0": "configuration", "2": "processes"},
        "engines": {name: f"what {name} is" for name in everywhere},
        "faults": [] if ok else [f"PROC-02: failed: {HOSTILE}", "PROC-03: no test"],
        "contracts": rows,
    }


def events() -> str:
    lines: list[str] = []
    for group in ("in", "out"):
        for name in _STORY:
            number = len(lines) + 1
            event = {
                "sequence": number,
                "time": f"2026-11-21T08:00:00.{number:03}000000Z",
                "event": name,
                "level": "info",
                "correlation_id": "smoke",
                "group": group,
                "worker": f"{group}-0.1",
                "fields": {},
            }
            lines.append(json.dumps(event))
    return "\n".join(lines) + "\n"


def write_samples(folder: Path) -> None:
    """Everything that a folder of reports can hold."""
    documents = {
        "parity": parity(ok=False),
        "smoke": smoke(),
        "contracts": contracts(),
        "bench-short": floors(),
    }
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document), "utf-8")
    (folder / "smoke-events.jsonl").write_text(events(), "utf-8")

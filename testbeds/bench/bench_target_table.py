"""The table of ``performance.md``: ids, targets and floors as they stand there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bench_beside import (
    cost,
    cost_by_account,
    lost,
    requests,
    sending,
    share,
    signing_by_account,
)
from bench_pace import at_pace
from bench_targets import (
    Target,
    cost_growth,
    inside_speed,
    memory_growth,
    speed,
    start_up,
    start_up_ratio,
)

BESIDE: Sequence[tuple[str, str, float]] = (
    ("zmq pipeline", "zmq", 0.8),
    ("queue with pickled batches", "queue", 1.55),
    ("Bytewax", "bytewax", 2.1),
    ("Ray", "ray", 3.3),
    ("Pathway", "pathway", 5.8),
    ("Beam", "beam", 10.0),
)
"""P3: a user's other choices, and by how many times four processes are to be as fast."""

WATCHING: Sequence[tuple[str, str, float]] = (
    ("tracing at 1 %", "tracing", 4.0),
    ("lifecycle logs", "logs", 1.0),
    ("metrics", "metrics", 1.0),
)
"""P8: what looks at four processes, and by how many per cent it may make them slower."""

_at_most = partial(Target, most=True)

TARGETS: Sequence[Target] = (
    Target("P1", "memory profile by H", 0.75, 0.60, speed("memory", "hand_loop")),
    Target("P2", "four processes by H", 1.05, 0.85, speed("four", "hand_loop")),
    Target("P2", "four processes by memory profile", 1.4, 1.2, speed("four", "memory")),
    *(
        Target("P3", f"four processes by {what}, tuned as ours", least, None, speed("four", name))
        for what, name, least in BESIDE
    ),
    _at_most(
        "P4", "start to exit, seconds", 0.9, 1.3, at_pace(start_up, "s"), binding=False, unit="s"
    ),
    _at_most("P4", "start to exit by bare spawn", 3.0, None, start_up_ratio),
    _at_most("P5", "peak RSS without state, growth", 1.10, 1.20, memory_growth, binding=False),
    *(
        _at_most("P6", f"request and reply, {what}", *bounds, ask, binding=False, unit="ms")
        for what, bounds, ask in (
            ("median", (1.5, 3.0), at_pace(requests("median_ms"), "ms")),
            ("p99", (6.0, 15.0), at_pace(requests("p99_ms"), "ms")),
        )
    ),
    Target(
        "P7",
        "request and reply, 256 in flight",
        8_000,
        5_000,
        at_pace(requests("per_second"), "a second", is_rate=True),
        binding=False,
        unit="/s",
        places=0,
    ),
    *(
        _at_most("P8", f"{what}, cost on P2", percent, None, cost(name), unit=" %")
        for what, name, percent in WATCHING
    ),
    *(
        _at_most(
            "P8", f"{what}, cost on P2, by account", percent, None, cost_by_account(name), unit=" %"
        )
        for what, name, percent in WATCHING
    ),
    *(
        _at_most(
            "P9", f"100 % sampling to OTLP over {what}, added", 1.0, None, sending(name), unit="s"
        )
        for what, name in (("gRPC", "grpc"), ("HTTP", "http"))
    ),
    _at_most("P9", "100 % sampling to OTLP, spans lost", 0, None, lost, unit="", places=0),
    *(
        _at_most("P10", f"signing and verification, share of P2{how}", 4.0, None, ask, unit=" %")
        for how, ask in (("", share("unsigned")), (", by account", signing_by_account))
    ),
    *(
        _at_most("P11", f"cost of a record, growth: {name}", 1.25, None, cost_growth(name, few))
        for name in ("memory", "four")
        for few in (10_000, 100_000)
    ),
)

PROGRAMS: Sequence[Target] = (
    Target(
        "P1",
        "memory profile by H, the specification's",
        0.75,
        0.60,
        inside_speed("memory", "spec_hand"),
    ),
    Target(
        "P2",
        "four processes by H, the specification's",
        1.05,
        0.85,
        inside_speed("four", "spec_hand"),
    ),
    *(
        Target(
            "P3",
            f"four processes by {what}, the specification's",
            least,
            None,
            inside_speed("four", f"spec_{name}"),
        )
        for what, name, least in BESIDE
    ),
)
"""The same by the programs that these targets were set by."""

SHORT: Sequence[Target] = tuple(row for row in TARGETS if row.id in ("P1", "P2", "P4"))
"""What the short form looks at."""

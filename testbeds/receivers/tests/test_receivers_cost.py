"""What is told of the cost of a receiver."""

from __future__ import annotations

import json

from otlp_cost import Cost, Found, as_json, table


def test_what_a_receiver_adds_is_told_by_rounds_and_not_by_medians() -> None:
    """A machine that is slow for a round is so for all of it."""
    told = table(
        {
            "nobody": [Cost(1.0, 1.0), Cost(5.0, 1.0), Cost(2.0, 1.0)],
            "grpc": [Cost(1.5, 2.0), Cost(5.5, 2.0), Cost(2.5, 2.0)],
            "http": [Cost(1.7, 2.2), Cost(5.7, 2.2), Cost(2.7, 2.2)],
        },
        11_010,
        {"nobody": 0, "grpc": 0, "http": 3},
    ).splitlines()
    assert told[2:5] == [
        "| nobody | 2.00 | 1.00 | 5.00 | 1.00 |  |  |",
        "| grpc | 2.50 | 1.50 | 5.50 | 2.00 | 11,010 | 0 |",
        "| http | 2.70 | 1.70 | 5.70 | 2.20 | 11,010 | 3 |",
    ]
    assert "added by grpc: wall 0.50, processor 1.00" in told
    assert "added by http: wall 0.70, processor 1.20" in told


def test_what_each_round_adds_is_told_by_protocol() -> None:
    """This is what the bench judges its row of receivers by."""
    costs = {
        "nobody": [Cost(1.0, 1.0), Cost(5.0, 1.0)],
        "grpc": [Cost(1.5, 2.0), Cost(5.25, 2.0)],
        "http": [Cost(1.75, 2.2), Cost(6.0, 2.2)],
    }
    told = json.loads(as_json(Found(costs, 11_010, {"nobody": 0, "grpc": 0, "http": 3}), 1_000))
    assert told == {
        "records": 1_000,
        "spans": 11_010,
        "added_seconds": {"grpc": [0.5, 0.25], "http": [0.75, 1.0]},
        "lost": {"grpc": 0, "http": 3},
    }

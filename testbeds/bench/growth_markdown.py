"""The report on cost as work grows, for people: one table for each thing that grows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bench_cells import ran_on, table

Entry = Mapping[str, Any]


class Shape(NamedTuple):
    """A table: its title, what it is of, and its columns."""

    title: str
    about: str
    columns: Mapping[str, Callable[[Entry], str]]


def to_markdown(document: Mapping[str, Any]) -> str:
    """Give the text of ``growth.md``."""
    blocks = [
        "# Cost as work grows",
        _verdict(document),
        ran_on(document["environment"], document["rounds"]),
    ]
    for name, entries in document["tables"].items():
        shape = SHAPES[name]
        rows = ([cell(entry) for cell in shape.columns.values()] for entry in entries)
        blocks += [f"## {shape.title}", shape.about, "\n".join(table([*shape.columns], rows))]
    return "\n\n".join(blocks) + "\n"


def _verdict(document: Mapping[str, Any]) -> str:
    if document["differing"]:
        return f"**OUTPUTS DIFFER: {', '.join(document['differing'])}**"
    return "All that did the same wrote the same bytes."


def _text(name: str) -> Callable[[Entry], str]:
    return lambda entry: str(entry[name])


def _count(name: str) -> Callable[[Entry], str]:
    return lambda entry: f"{entry[name]:,}"


def _seconds(name: str) -> Callable[[Entry], str]:
    return lambda entry: f"{entry[name]:.2f}"


def _figure(name: str, form: str, *, noise: bool = False) -> Callable[[Entry], str]:
    def cell(entry: Entry) -> str:
        found = entry[name]
        if found is None:
            return ""
        band = _band(found, form) if noise and found["low"] is not None else ""
        return f"{found['value']:{form}}{band}"

    return cell


def _band(found: Mapping[str, float], form: str) -> str:
    """The noise of a cost. None is below zero: there the difference of two runs is lost in it."""
    if found["low"] < 0:
        return f" (up to {found['high']:{form}})"
    return f" ({found['low']:{form}} to {found['high']:{form}})"


def _peak(name: str) -> Callable[[Entry], str]:
    def cell(entry: Entry) -> str:
        peak = entry["peak_rss_mib"][name]
        return "" if peak is None else f"{peak:,.0f}"

    return cell


def _bytes(entry: Entry) -> str:
    return "" if entry["bytes"] is None else f"{entry['bytes']:,.0f}"


def _spans_each(entry: Entry) -> str:
    spans = entry["spans"]
    return f"{spans['created'] / entry['records']:.2f}" if spans else ""


def _spans_lost(entry: Entry) -> str:
    spans = entry["spans"]
    return f"{spans['created'] - spans['exported']:,}" if spans else ""


_COST: Mapping[str, Callable[[Entry], str]] = {
    "µs per record": _figure("wall_us", ".2f", noise=True),
    "CPU µs per record": _figure("cpu_us", ".2f"),
    "records/s": _figure("records_per_second", ",.0f"),
}
_WORDS = {"id": "id", "customer": "customer with one day", "day": "further day of a customer"}

SHAPES: Mapping[str, Shape] = {
    "records": Shape(
        "Records",
        "Fund load under `exp_mp`. The cost is that of the records beyond the next smaller size"
        " (of the first size: beyond 1 000). MiB are peak RSS; the memory profile has one process.",
        {
            "profile": _text("profile"),
            "records": _count("records"),
            "whole run, s": _seconds("whole_seconds"),
            **_COST,
            "supervisor, MiB": _peak("supervisor"),
            "ingress or egress, MiB": _peak("stateless"),
            "features, MiB": _peak("features"),
            "policy, MiB": _peak("policy"),
        },
    ),
    "state": Shape(
        "State",
        "The states of fund load, in bytes of peak RSS of the worker that holds them. All days of a"
        " week are in one window.",
        {
            "item": lambda entry: _WORDS[entry["each"]],
            "items": _count("counted"),
            "held by": _text("held_by"),
            "bytes per item": _bytes,
        },
    ),
    "groups": Shape(
        "Groups",
        "Ten nodes that pass on 100 bytes, divided among groups of one worker process each.",
        {
            "groups": _text("groups"),
            **_COST,
            "1 000 records, s": _seconds("start_seconds"),
            "all processes, MiB": _peak("all"),
        },
    ),
    "workers": Shape(
        "Workers",
        "Fund load under `baseline`, its policies divided by customer among several workers.",
        {
            "workers": _text("workers"),
            **_COST,
            "1 000 records, s": _seconds("start_seconds"),
            "largest worker, MiB": _peak("policy"),
        },
    ),
    "payload": Shape(
        "Payload",
        "Ten nodes that pass records on, in one process and in four groups.",
        {
            "profile": _text("profile"),
            "bytes": _text("bytes"),
            **_COST,
            "MB/s": _figure("mb_per_second", ",.0f"),
            "supervisor, MiB": _peak("supervisor"),
            "all processes, MiB": _peak("all"),
        },
    ),
    "tracing": Shape(
        "Tracing",
        "Fund load under `exp_mp`, with spans to a file (`jsonl`).",
        {
            "profile": _text("profile"),
            "sampling": _text("sampling"),
            **_COST,
            "spans per record": _spans_each,
            "spans lost": _spans_lost,
        },
    ),
}
"""The tables, by name."""

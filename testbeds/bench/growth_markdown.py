"""The report on cost as work grows, for people: one table for each thing that grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

Entry = Mapping[str, Any]


class Shape(NamedTuple):
    """A table: its title, what it is of, and its columns."""

    title: str
    about: str
    columns: Mapping[str, Callable[[Entry], str]]


def to_markdown(document: Mapping[str, Any]) -> str:
    """Give the text of ``growth.md``."""
    blocks = ["# Cost as work grows", _verdict(document), _ran_on(document)]
    for name, entries in document["tables"].items():
        shape = SHAPES[name]
        blocks += [f"## {shape.title}", shape.about, table(shape, entries)]
    return "\n\n".join(blocks) + "\n"


def table(shape: Shape, entries: Iterable[Entry]) -> str:
    """Give one table."""
    rows = [list(shape.columns), ["---"] * len(shape.columns)]
    rows += [[cell(entry) for cell in shape.columns.values()] for entry in entries]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _verdict(document: Mapping[str, Any]) -> str:
    if document["differing"]:
        return f"**OUTPUTS DIFFER: {', '.join(document['differing'])}**"
    return "All that did the same wrote the same bytes."


def _ran_on(document: Mapping[str, Any]) -> str:
    facts = document["environment"]
    found = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        f"{facts['python']} on {facts['system']}, {facts['cores']} cores, load before"
        f" {facts['load_before']}, rounds: {document['rounds']}. {found}. How it is measured:"
        " `testbeds/bench/README.md`."
    )


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
        band = ""
        if noise and found["low"] is not None:
            band = f" ({found['low']:{form}} to {found['high']:{form}})"
        return f"{found['value']:{form}}{band}"

    return cell


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
    "us a record": _figure("wall_us", ".2f", noise=True),
    "CPU us": _figure("cpu_us", ".2f"),
    "records/s": _figure("records_per_second", ",.0f"),
}
_WORDS = {"id": "id", "customer": "customer with one day", "day": "further day of a customer"}

SHAPES: Mapping[str, Shape] = {
    "records": Shape(
        "Records",
        "Fund load under `exp_mp`. A record's cost is that of those beyond the size before it (the"
        " first: beyond 1 000). Peak RSS in MiB; in the memory profile of its one process.",
        {
            "profile": _text("profile"),
            "records": _count("records"),
            "whole process s": _seconds("whole_seconds"),
            **_COST,
            "supervisor": _peak("supervisor"),
            "ingress, egress": _peak("stateless"),
            "features": _peak("features"),
            "policy": _peak("policy"),
        },
    ),
    "state": Shape(
        "State",
        "What fund load remembers, in bytes of peak RSS of the worker that does. All days of a week"
        " are held in one window.",
        {
            "each": lambda entry: _WORDS[entry["each"]],
            "of": _count("counted"),
            "held by": _text("held_by"),
            "bytes": _bytes,
        },
    ),
    "groups": Shape(
        "Groups",
        "Ten nodes that pass on 100 bytes, divided among so many groups, a process each.",
        {
            "groups": _text("groups"),
            **_COST,
            "1 000 records s": _seconds("start_seconds"),
            "all processes MiB": _peak("all"),
        },
    ),
    "workers": Shape(
        "Workers",
        "Fund load under `baseline`, its policies divided by customer among so many workers.",
        {
            "workers": _text("workers"),
            **_COST,
            "1 000 records s": _seconds("start_seconds"),
            "largest of them MiB": _peak("policy"),
        },
    ),
    "payload": Shape(
        "Payload",
        "The same ten nodes in one process, and in four groups.",
        {
            "profile": _text("profile"),
            "bytes": _text("bytes"),
            **_COST,
            "MB/s": _figure("mb_per_second", ",.0f"),
            "supervisor MiB": _peak("supervisor"),
            "all processes MiB": _peak("all"),
        },
    ),
    "tracing": Shape(
        "Tracing",
        "Fund load under `exp_mp`, spans to a file (`jsonl`).",
        {
            "profile": _text("profile"),
            "sampling": _text("sampling"),
            **_COST,
            "spans a record": _spans_each,
            "spans lost": _spans_lost,
        },
    ),
}
"""The tables, by name."""

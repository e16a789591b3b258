"""The pages: from the sessions' documents to HTML that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from report_contracts import counted, on_engine, phases, tests_of
from report_environment import this_environment, versions
from report_inputs import Found, read_inputs
from report_runs import bars, parity_rows, smoke_rows
from report_spans import span_books
from report_speed import in_words, speed_verdict
from report_timeline import draw_timeline

TEMPLATES: Final = Path(__file__).parent / "templates"
SECTIONS: Final = (
    ("parity", "Parity"),
    ("smoke", "Smoke"),
    ("contracts", "Contracts"),
    ("timeline", "Lifecycle"),
    ("throughput", "Throughput"),
    ("spans", "Span conservation"),
    ("environment", "Environment"),
)
#: What a reader may open beside the page, where its session has run.
BESIDE: Final = (
    "parity.md",
    "smoke.md",
    "contracts.md",
    "bench-short.md",
    "bench.md",
    "growth.md",
)


@dataclass(frozen=True)
class Tile:
    """One verdict at the top of the page."""

    what: str
    word: str
    more: str = ""


def render_index(reports: Path, now: datetime) -> str:
    """The text of ``index.html``, made of what the folder holds."""
    inputs = read_inputs(reports)
    figure, no_figure = draw_timeline(reports)
    smoke, parity, contracts = (inputs[name] for name in ("smoke", "parity", "contracts"))
    timed = speeds(inputs)
    page: str = (
        _templates()
        .get_template("index.html.j2")
        .render(
            **inputs,
            style=_style(),
            written=now.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            sections=SECTIONS,
            tiles=tiles(inputs),
            in_words=in_words(timed),
            beside=[name for name in BESIDE if (reports / name).is_file()],
            parity_rows=parity_rows(parity.document) if parity.document else [],
            smoke_rows=smoke_rows(smoke.document) if smoke.document else [],
            bars=bars(smoke.document) if smoke.document else [],
            spans=span_books(smoke.document) if smoke.document else None,
            phases=phases(contracts.document) if contracts.document else [],
            timeline=None if figure is None else Markup(figure),  # noqa: S704 - escaped where it is made
            no_timeline=no_figure,
            environment=this_environment(),
            versions=versions(),
        )
    )
    return page


def render_contracts(document: Mapping[str, Any]) -> str:
    """The text of ``contracts.html``."""
    template = _templates().get_template("contracts.html.j2")
    page: str = template.render(document=document, phases=phases(document), style=_style())
    return page


def tiles(inputs: Mapping[str, Found]) -> Sequence[Tile]:
    """The verdict of each session that the page is about."""
    named = (("parity", "Parity"), ("smoke", "Smoke"), ("contracts", "Contracts"))
    return [
        *(_tile(what, inputs[name].document) for name, what in named),
        Tile("Speed", *speed_verdict(speeds(inputs))),
    ]


def speeds(inputs: Mapping[str, Found]) -> Sequence[Mapping[str, Any]]:
    """The documents whose targets the page has a table of."""
    both = (inputs["floors"].document, inputs["bench"].document)
    return [document for document in both if document is not None]


def _tile(what: str, document: Mapping[str, Any] | None) -> Tile:
    if document is None:
        return Tile(what, "not run")
    if "contracts" not in document:
        cases = len(document["cases"])
        return Tile(what, "green" if document["ok"] else "FAILED", f"{cases} comparisons")
    counts = counted(document["contracts"])
    more = ", ".join(f"{count} {result}" for result, count in counts.items())
    return Tile(what, "green" if document["ok"] else "NOT PROVEN", more)


def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"on_engine": on_engine, "tests_of": tests_of, "words": _words}
    return environment


def _style() -> Markup:
    return Markup((TEMPLATES / "style.css").read_text("utf-8"))  # noqa: S704 - it is our own


def _words(name: str) -> str:
    return name.replace("_", " ")

"""A chart of lanes over a common time axis, as a fragment of HTML with its own style. Pure.

A lane is a ``<details>`` element, which keyboard and pointer can open without a script. The style
applies only inside the fragment, follows the reader's colour scheme, and stacks the parts of a lane
on a narrow screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sk_supervisor._text.markup import Markup, Piece, style, tag
from sk_supervisor._text.units import lasting

DEEPEST: Final = 16
"""The maximum number of levels by which a name is indented."""
_COLOURS: Final = 8
_TICKS: Final = (0, 25, 50, 75, 100)
_STYLE: Final = """
.sk-lanes { --text: #1f2328; --soft: #59636e; --line: #d1d9e0; --back: #ffffff; --shade: #f6f8fa;
  --bad: #cf222e; --focus: #0969da; --c0: #0969da; --c1: #1a7f37; --c2: #9a6700; --c3: #8250df;
  --c4: #0a7ea4; --c5: #bf3989; --c6: #bc4c00; --c7: #57606a; }
@media (prefers-color-scheme: dark) { .sk-lanes { --text: #f0f6fc; --soft: #9198a1;
  --line: #3d444d; --back: #0d1117; --shade: #151b23; --bad: #f85149; --focus: #4493f8;
  --c0: #4493f8; --c1: #3fb950; --c2: #d29922; --c3: #a371f7; --c4: #39c5cf; --c5: #db61a2;
  --c6: #f0883e; --c7: #9198a1; } }
.sk-lanes { margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; container-type: inline-size;
  & .c0 { --own: var(--c0); } & .c1 { --own: var(--c1); } & .c2 { --own: var(--c2); }
  & .c3 { --own: var(--c3); } & .c4 { --own: var(--c4); } & .c5 { --own: var(--c5); }
  & .c6 { --own: var(--c6); } & .c7 { --own: var(--c7); } & .failed { --own: var(--bad); }
  & .facts { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin: 0 0 .7rem; }
  & .facts div { display: flex; gap: .4rem; }
  & .facts dd { margin: 0; font-weight: 600; }
  & dt { color: var(--soft); }
  & .legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0;
    margin: 0 0 .7rem; color: var(--soft); }
  & .legend li { display: flex; align-items: center; gap: .35rem; }
  & .legend i { width: .8rem; height: .8rem; border-radius: .2rem; background: var(--own); }
  & .legend i.mark { position: static; width: 3px; height: 1rem; border-radius: 0;
    background: var(--text); }
  & .legend i.wait { position: static; width: 1.4rem; height: 0; background: none; }
  & .notes { border-left: .25rem solid var(--bad); margin: 0 0 .7rem; padding: .1rem .8rem;
    overflow-wrap: anywhere; }
  & .notes p { margin: .2rem 0; }
  & ol { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
  & ol > li { border-bottom: 1px solid var(--line); }
  & summary, & .axis { display: grid; grid-template-columns: minmax(12rem, 34%) 1fr 5.5rem;
    gap: 0 .8rem; align-items: center; padding: .15rem .3rem; }
  & summary { cursor: pointer; list-style: none; border-radius: .2rem; }
  & summary::-webkit-details-marker { display: none; }
  & summary:hover, & details[open] > summary { background: var(--shade); }
  & summary:focus-visible, & :target summary { outline: 2px solid var(--focus);
    outline-offset: -2px; }
  & .name { padding-left: calc(var(--depth, 0) * .7rem); overflow-wrap: anywhere;
    line-height: 1.25; unicode-bidi: isolate; }
  & small { color: var(--soft); margin-left: .4rem; display: inline-block; }
  & b { color: var(--bad); font-weight: 600; }
  & .name b { margin-left: .4rem; }
  & .took { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
  & .lane { position: relative; height: 1.1rem; border-right: 1px solid var(--line);
    background: repeating-linear-gradient(90deg, var(--line) 0 1px, transparent 1px 25%); }
  & .bar, & .wait, & .mark { position: absolute; left: calc(var(--at) * 1%); }
  & .bar, & .wait { width: calc(var(--for) * 1%); }
  & .bar { top: .15rem; bottom: .15rem; min-width: 3px; border-radius: 2px;
    background: var(--own); }
  & .bar.late { left: auto; right: 0; }
  & .bar.bad { outline: 2px solid var(--bad); outline-offset: 1px; }
  & .wait { top: 50%; border-top: 1px dashed var(--soft); }
  & .mark { top: -.05rem; bottom: -.05rem; width: 2px; background: var(--text); }
  & .mark.failed { background: var(--bad); width: 3px; }
  & .axis { position: sticky; top: 0; background: var(--back); z-index: 1; color: var(--soft);
    font-size: .8rem; padding: .4rem .3rem .2rem; }
  & .ticks { position: relative; height: 1.2rem; }
  & .ticks span { position: absolute; left: calc(var(--at) * 1%); transform: translateX(-50%);
    white-space: nowrap; }
  & .ticks span:first-child { transform: none; }
  & .ticks span:last-child { transform: translateX(-100%); }
  & .more { display: grid; grid-template-columns: fit-content(40%) 1fr; gap: .15rem 1rem; margin: 0;
    padding: .5rem .8rem .8rem; background: var(--shade); font-variant-numeric: tabular-nums; }
  & .more dt, & .more dd { margin: 0; overflow-wrap: anywhere; unicode-bidi: isolate; }
  & .more pre { margin: .2rem 0; white-space: pre-wrap; font-size: .85em; }
  & a { color: var(--focus); }
  & .help { color: var(--soft); font-size: .85rem; margin: .6rem 0 0; }
  @container (max-width: 64rem) {
    & .ticks span:nth-child(even) { display: none; }
  }
  @container (max-width: 46rem) {
    & summary, & .axis { grid-template-columns: 1fr auto; }
    & .lane, & .ticks { grid-column: 1 / -1; grid-row: 2; }
    & .axis > .name, & .axis > .took { display: none; }
    & .name { padding-left: calc(var(--depth, 0) * .25rem); }
    & .lane { height: .9rem; margin: .1rem 0 .25rem; }
    & .more { gap: .15rem .6rem; padding: .4rem .4rem .6rem; }
  }
}
"""


class Scale(NamedTuple):
    """Converts times and durations to per cent of the whole chart."""

    begin: int
    length: int

    @classmethod
    def of(cls, begin: int, end: int) -> Scale:
        """Make a scale whose length is at least 1 ns."""
        return cls(begin, max(1, end - begin))

    def share(self, nanoseconds: int) -> float:
        """Convert a duration."""
        return round(100 * nanoseconds / self.length, 4)

    def at(self, time_ns: int) -> float:
        """Convert a time since the epoch."""
        return self.share(time_ns - self.begin)


class Swimlane(NamedTuple):
    """A lane: its name, what is drawn, a figure at its end, and the facts shown when it is opened.

    ``depth`` indents the name; ``anchor`` is the id of the element.
    """

    name: Piece
    drawn: Sequence[Markup]
    took: str
    facts: Iterable[tuple[str, Piece]]
    depth: int = 0
    anchor: str | None = None


def lanes(
    drawn: Iterable[Swimlane],
    scale: Scale,
    *,
    heads: tuple[str, str],
    facts: Iterable[tuple[str, str]],
    legend: Iterable[Markup],
    notes: Sequence[str] = (),
    label: str,
) -> Markup:
    """Draw the chart; ``heads`` are the headings of the names and of the figures at the end."""
    return tag(
        "figure",
        style(_STYLE),
        tag("dl", [tag("div", pair) for pair in _terms(facts)], class_="facts"),
        tag("div", [tag("p", note) for note in notes], class_="notes") if notes else (),
        tag("ul", legend, class_="legend"),
        _axis(scale, heads),
        tag("ol", map(_lane, drawn)),
        tag("p", "Open a line (tap, or Tab and Enter) for what is known of it.", class_="help"),
        class_="sk-lanes",
        aria_label=label,
    )


def bar(scale: Scale, begin_ns: int, length_ns: int, classes: str, title: str) -> Markup:
    """Draw a period of time, at least three pixels wide and within the lane."""
    begin, length = scale.at(begin_ns), scale.share(length_ns)
    late = " late" if begin + length > 99.5 and length < 1 else ""
    return tag("span", class_=f"bar {classes}{late}", style=_place(begin, length), title=title)


def wait(scale: Scale, begin_ns: int, length_ns: int) -> Markup:
    """Draw a period of waiting, as a dashed line."""
    return tag("span", class_="wait", style=_place(scale.at(begin_ns), scale.share(length_ns)))


def mark(scale: Scale, time_ns: int, title: str, *, bad: bool) -> Markup:
    """Draw a point in time."""
    place = f"--at:{scale.at(time_ns)}"
    return tag("span", class_="mark failed" if bad else "mark", style=place, title=title)


def colour(number: int) -> str:
    """Return the CSS class of a colour; the colours repeat."""
    return f"c{number % _COLOURS}"


def key(classes: str, text: str) -> Markup:
    """Make an entry of the legend, for the symbol with these CSS classes."""
    return tag("li", tag("i", class_=classes), text)


def _place(begin: float, length: float) -> str:
    return f"--at:{begin};--for:{length}"


def _terms(facts: Iterable[tuple[str, Piece]]) -> Iterable[tuple[Markup, Markup]]:
    return ((tag("dt", name), tag("dd", value)) for name, value in facts)


def _lane(lane: Swimlane) -> Markup:
    depth = f"--depth:{min(lane.depth, DEEPEST)}" if lane.depth else None
    line = tag(
        "summary",
        tag("span", lane.name, class_="name", style=depth),
        tag("span", lane.drawn, class_="lane"),
        tag("span", lane.took, class_="took"),
    )
    more = tag("dl", _terms(lane.facts), class_="more")
    return tag("li", tag("details", line, more), id=lane.anchor)


def _axis(scale: Scale, heads: tuple[str, str]) -> Markup:
    ticks = [
        tag("span", lasting(scale.length * at // 100) if at else "0", style=f"--at:{at}")
        for at in _TICKS
    ]
    return tag(
        "div",
        tag("span", heads[0], class_="name"),
        tag("div", ticks, class_="ticks"),
        tag("span", heads[1], class_="took"),
        class_="axis",
        aria_hidden="true",
    )

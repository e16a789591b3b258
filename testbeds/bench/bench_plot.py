"""The picture: each system's steady speed by its yardstick's, a bar with its noise.

Colours follow the reader's scheme, light or dark; nothing in it is drawn by a script.
"""

from __future__ import annotations

import svg
from bench_figures import Figure
from bench_report import Report
from bench_systems import YARDSTICKS, System

_LABEL, _BARS, _VALUE = 290, 420, 130
_ROW, _BAR, _TOP, _FOOT = 28, 16, 56, 34
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.note { fill: #59636e; font-size: 12px; }
.background { fill: #ffffff; }
.peer { fill: #8c959f; }
.ours { fill: #0969da; }
.yardstick { stroke: #1f2328; stroke-dasharray: 4 3; }
.noise { stroke: #1f2328; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .note { fill: #9198a1; }
  .background { fill: #0d1117; }
  .peer { fill: #656c76; }
  .ours { fill: #4493f8; }
  .yardstick, .noise { stroke: #f0f6fc; }
}
"""


def to_svg(report: Report) -> str:
    """Give the picture, each system at the largest size that it ran at."""
    bars = [
        (system, ratio, records)
        for system in report.systems
        if system.name not in YARDSTICKS.values()
        if (records := _largest(report, system)) is not None
        if (ratio := report.ratio(system, records)) is not None
    ]
    bars.sort(key=lambda bar: -bar[1].value)
    furthest = max((ratio.high or ratio.value for _, ratio, _ in bars), default=1.0)
    scale = _BARS / max(1.0, furthest)
    height = _TOP + _ROW * len(bars) + _FOOT
    elements: list[svg.Element] = [
        svg.Style(text=_STYLE),
        svg.Rect(width=svg.Length(100, "%"), height=svg.Length(100, "%"), class_=["background"]),
        svg.Text(
            x=12,
            y=24,
            text="Fund load: steady speed by the hand-written loop (H = 1)",
            class_=["title"],
        ),
    ]
    for number, (system, ratio, records) in enumerate(bars):
        elements += _bar(system, ratio, records, y=_TOP + number * _ROW, scale=scale)
    elements += _yardstick(_LABEL + scale, height - _FOOT)
    note = "Thin lines: 95 % of the median over the rounds. Higher is faster."
    elements.append(svg.Text(x=12, y=height - 12, text=note, class_=["note"]))
    width = _LABEL + _BARS + _VALUE
    picture = svg.SVG(
        width=width, height=height, viewBox=svg.ViewBoxSpec(0, 0, width, height), elements=elements
    )
    return f"{picture}\n"


def _largest(report: Report, system: System) -> int | None:
    return report.results.largest(system.name, YARDSTICKS[system.rules])


def _bar(
    system: System, ratio: Figure, records: int, *, y: float, scale: float
) -> list[svg.Element]:
    middle, end = y + _BAR / 2, _LABEL + ratio.value * scale
    kind = "ours" if system.ours else "peer"
    drawn: list[svg.Element] = [
        svg.Text(x=_LABEL - 8, y=middle + 5, text=system.title, text_anchor="end"),
        svg.Rect(x=_LABEL, y=y, width=end - _LABEL, height=_BAR, rx=2, class_=[kind]),
    ]
    if ratio.low is not None and ratio.high is not None:
        low, end = _LABEL + ratio.low * scale, _LABEL + max(ratio.high, ratio.value) * scale
        drawn.append(svg.Line(x1=low, x2=end, y1=middle, y2=middle, class_=["noise"]))
    said = f"{ratio.value:.2f}  ({records:,})"
    return [*drawn, svg.Text(x=end + 8, y=middle + 5, text=said)]


def _yardstick(x: float, bottom: float) -> list[svg.Element]:
    return [
        svg.Line(x1=x, x2=x, y1=_TOP - 8, y2=bottom, class_=["yardstick"]),
        svg.Text(x=x, y=_TOP - 12, text="H", text_anchor="middle", class_=["note"]),
    ]

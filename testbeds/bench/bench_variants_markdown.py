"""The section of the report about four processes with more, or less."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from bench_cells import noise, table
from bench_figures import Figure
from bench_report import Report
from bench_variant_results import Variants, percent_more
from bench_variants import VARIANTS, Variant

_HEAD = (
    "four processes",
    "steady: more than as they are",
    "noise",
    "least to most",
    "processor time: more",
    "noise",
    "pairs",
    "inside s",
    "CPU s",
    "identical",
)
_SAID = (
    "What one thing costs, beside four processes as they are: a run of these, two variants, a run"
    " of these, the other two, and so on. Each variant is compared with the mean of the run before"
    " and the run after it. `steady` is from the first record read to the last byte written, and is"
    " what P8 and P10 are judged by. The processor time is that of all processes, less the median"
    " of runs of 1 000 records, which are start and end. P10 is the share that goes away with the"
    " HMAC."
)


def variants_section(report: Report) -> list[str]:
    """Give its lines; none where no variants ran."""
    variants = report.results.variants
    if variants is None:
        return []
    rows = (_row(report, variants, variant) for variant in VARIANTS)
    head = ["## Four processes with more, or less", "", _SAID, *_busy(variants), ""]
    return [*head, *table(_HEAD, rows)]


def _busy(variants: Variants) -> list[str]:
    if not variants.others:
        return []
    used = f"{statistics.median(variants.others):.2f} cores"
    rounds = len(variants.others)
    return [
        "",
        f"{variants.records:,} records; others used {used}, in the median of {rounds} rounds.",
    ]


def _row(report: Report, variants: Variants, variant: Variant) -> Iterable[str]:
    ratios = variants.by_plain(variant.name)
    steady, processor = map(percent_more, (ratios, variants.processor_by_plain(variant.name)))
    runs = [between.variant for between in variants.runs.get(variant.name, ())]
    ends = [100 * (ratio - 1) for ratio in (min(ratios), max(ratios))] if ratios else []
    return (
        variant.title,
        _percent(steady),
        noise(steady),
        " to ".join(f"{end:.2f}" for end in ends),
        _percent(processor),
        noise(processor),
        str(len(runs)),
        f"{statistics.median(run.inside_seconds for run in runs):.2f}" if runs else "",
        f"{statistics.median(run.cpu_seconds for run in runs):.2f}" if runs else "",
        "yes" if report.identical_variant(variants, variant.name) else "**NO**",
    )


def _percent(figure: Figure | None) -> str:
    return f"{figure.value:+.2f} %" if figure else ""

"""The section of the report about four processes with more, or less."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from bench_cells import noise, table
from bench_figures import Figure, figure
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
_ACCOUNT_HEAD = (
    "by their own account",
    "of all processor time",
    "noise",
    "least to most",
    "rounds",
)
_ACCOUNT_SAID = (
    "Two runs differ by more than one per cent on all but a quiet machine. The parts of one run do"
    " not, so here runs with `--profile-run` tell the processor time of a part: what all workers"
    " sign and verify in; and what they make and write spans in and the supervisor does beside"
    " relaying frames, with spans, logs or metrics less without, in the same round. It is given in"
    " per cent of what four processes take that are not profiled. What a part costs the others, by"
    " their caches or by waiting, is not in it: the table above holds that, as far as its noise"
    " lets it be seen."
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
    return [*head, *table(_HEAD, rows), *_accounts(variants)]


def _accounts(variants: Variants) -> list[str]:
    """The table of what runs say of themselves; nothing where none was asked."""
    if not variants.accounts:
        return []
    parts = [("signing and verification", variants.signing_percent())]
    parts += [(v.title, variants.watching_percent(v.name)) for v in VARIANTS if v.accounted]
    rows = ((title, *_shares(found)) for title, found in parts)
    return ["", _ACCOUNT_SAID, "", *table(_ACCOUNT_HEAD, rows)]


def _shares(found: Sequence[float]) -> Sequence[str]:
    share = figure(found)
    if share is None:
        return "not told here", "", "", ""
    ends = f"{min(found):.2f} to {max(found):.2f}"
    return f"{share.value:.2f} %", noise(share), ends, str(share.rounds)


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

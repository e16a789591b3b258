"""Speed: what is wanted of it, in words, and how much of that was met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

Document = Mapping[str, Any]

IN_WORDS: Final = {
    "P1": "one process (the memory profile) against the hand-written loop",
    "P2": "four worker processes against that loop, and against one process",
    "P3": "four worker processes against what a user would pick instead",
    "P4": "a whole run of 1 000 records, from start to exit",
    "P5": "the memory of 10 000 000 records against that of 100 000",
    "P6": "how long one request and its reply take",
    "P7": "how many requests are answered a second",
    "P8": "what tracing, lifecycle events and metrics cost",
    "P9": "what tracing every record to a collector adds, and whether a span is lost",
    "P10": "what signing what goes between processes costs",
    "P11": "what a record costs in a large run against a small one",
}
"""Each target by its id, as a reader who knows none of them would ask for it."""


def speed_verdict(documents: Sequence[Document]) -> tuple[str, str]:
    """(one word, how many targets had which verdict), of all tables of the page."""
    if not documents:
        return "not run", ""
    verdicts = Counter(_short(row["verdict"]) for each in documents for row in each["targets"])
    if not all(each["ok"] for each in documents):
        word = "FAILED"
    elif verdicts["missed"]:
        word = "targets missed"
    else:
        word = "green"
    return word, ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())


def in_words(documents: Sequence[Document]) -> dict[str, str]:
    """The ids that are in the page's tables, and what they ask."""
    shown = {row["id"] for each in documents for row in each["targets"]}
    return {name: words for name, words in IN_WORDS.items() if name in shown}


def _short(verdict: str) -> str:
    """Without its reason."""
    return str(verdict).partition(":")[0]

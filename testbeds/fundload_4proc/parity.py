"""Do several runs over one input say the same? Pure functions over bytes; no file, no process.

Two equalities are told apart: byte for byte, and normalised as `jq -cS` does it (each line parsed,
written compact with sorted keys), which forgives layout and order of keys but no value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice, zip_longest

MAX_DIFFERENCES = 5


@dataclass(frozen=True)
class Fingerprint:
    """What identifies a file's content: SHA-256 in hex, size in bytes, number of lines."""

    label: str
    sha256: str
    size: int
    lines: int


@dataclass(frozen=True)
class Difference:
    """A line (counted from 1) that is not the same in all, and what it is in each, with its LF.

    None stands for a file that ends before it.
    """

    line_no: int
    lines: Mapping[str, bytes | None]


@dataclass(frozen=True)
class Comparison:
    """Files that ought to be equal: what each is, both equalities, the first differing lines."""

    files: tuple[Fingerprint, ...]
    byte_equal: bool
    normalised_equal: bool
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class RunFailure:
    """A run that gave nothing to compare: whose, and its exit code (None: stopped for its time).

    `stderr` is for the terminal and in no report: it may name paths of the machine.
    """

    label: str
    exit_code: int | None
    stderr: str = ""


@dataclass(frozen=True)
class ParityCase:
    """One rule set on one input. `counts` is of the reference: accepted, and each reason."""

    rules: str
    input: Fingerprint
    counts: Mapping[str, int]
    outputs: Comparison
    rejects: Comparison
    failures: tuple[RunFailure, ...] = ()
    rounds: int = 1
    failed_rounds: tuple[int, ...] = ()

    @property
    def ok(self) -> bool:
        """True when every run ended well and all outputs and rejects are equal byte for byte."""
        equal = self.outputs.byte_equal and self.rejects.byte_equal
        return equal and not self.failures and not self.failed_rounds


def fingerprint(label: str, data: bytes) -> Fingerprint:
    """Identify `data`. A last line without its LF counts as a line."""
    lines = data.count(b"\n") + (not data.endswith(b"\n") and data != b"")
    return Fingerprint(label, hashlib.sha256(data).hexdigest(), len(data), lines)


def compare(labelled: Mapping[str, bytes]) -> Comparison:
    """Compare files, given by label in the order in which they are to be shown."""
    contents = list(labelled.values())
    files = tuple(fingerprint(label, data) for label, data in labelled.items())
    if _all_same(contents):
        return Comparison(files, byte_equal=True, normalised_equal=True)
    normalised_equal = _all_same([normalise(data) for data in contents])
    return Comparison(files, False, normalised_equal, first_differences(labelled))


def normalise(data: bytes) -> bytes:
    """Write every line as `jq -cS` would; a line that is no JSON stays as it is, blank ones go."""
    lines = (normalise_line(line) for line in data.split(b"\n") if line.strip())
    return b"".join(line + b"\n" for line in lines)


def normalise_line(line: bytes) -> bytes:
    """Write one JSON line compact, its keys sorted, non-ASCII raw; leave what is no JSON."""
    try:
        value = json.loads(line)
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text.encode("utf-8")
    except (ValueError, RecursionError):
        return line


def first_differences(labelled: Mapping[str, bytes]) -> tuple[Difference, ...]:
    """Give the first `MAX_DIFFERENCES` lines, ends included, that are not the same in all files."""
    rows = zip_longest(*(BytesIO(data) for data in labelled.values()))
    numbered = enumerate(rows, start=1)
    differing = ((line_no, row) for line_no, row in numbered if not _all_same(row))
    return tuple(
        Difference(line_no, dict(zip(labelled, row, strict=True)))
        for line_no, row in islice(differing, MAX_DIFFERENCES)
    )


def merge_rounds(cases: Sequence[ParityCase]) -> ParityCase:
    """Give one case for the same case run several times: the first that failed, else the first.

    `rounds` is their number and `failed_rounds` names the failed ones, from 1.
    """
    failed = tuple(round_no for round_no, case in enumerate(cases, start=1) if not case.ok)
    shown = cases[failed[0] - 1] if failed else cases[0]
    return replace(shown, rounds=len(cases), failed_rounds=failed)


def _all_same(values: Sequence[bytes | None]) -> bool:
    return all(value == values[0] for value in values)

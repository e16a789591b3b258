"""Blocks to lines."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_fundload.adapters._splitter import LineSplitter

LIMIT = 8
BOM = b"\xef\xbb\xbf"
TEXT = st.lists(st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n", BOM, b"x" * LIMIT])).map(
    b"".join
)


def split(data: bytes, *cuts: int, limit: int = LIMIT) -> list[bytes]:
    splitter = LineSplitter(limit)
    edges = [0, *sorted(cuts), len(data)]
    lines: list[bytes] = []
    for start, end in itertools.pairwise(edges):
        lines += splitter.feed(data[start:end])
    return lines + splitter.finish()


def specified(data: bytes) -> list[bytes]:
    """What the specification says, in the plainest way."""
    data = data.removeprefix(BOM)
    *ended, last = data.split(b"\n")
    lines = [line.removesuffix(b"\r") for line in ended] + ([last] if last else [])
    return [line[: LIMIT + 1] for line in lines]


@given(TEXT, st.lists(st.integers(0, 60), max_size=6))
def test_lines_are_the_same_however_the_bytes_come(data: bytes, cuts: list[int]) -> None:
    found = split(data, *(min(cut, len(data)) for cut in cuts))
    expected = specified(data)
    # A file of nothing but a byte order mark may count as one blank line or as none.
    assert found == expected or (data == BOM and found == [b""])


@given(TEXT)
def test_lines_are_the_same_byte_by_byte(data: bytes) -> None:
    whole = split(data)
    assert split(data, *range(len(data))) == whole


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"\r\n", [b""]),
        (b"a", [b"a"]),
        (b"a\r", [b"a\r"]),
        (b"a\r\r\n", [b"a\r"]),
        (b"\ra\n", [b"\ra"]),
        (BOM + b"a\n" + BOM + b"b", [b"a", BOM + b"b"]),
        (BOM + BOM + b"a", [BOM + b"a"]),
        (b"\n" + BOM + b"a", [b"", BOM + b"a"]),
        (b"12345678\n", [b"12345678"]),
        (b"12345678\r\n", [b"12345678"]),
        (BOM + b"12345678\r\n", [b"12345678"]),
        (b"123456789\r\n1", [b"123456789", b"1"]),
        (b"1234567890ab\n1", [b"123456789", b"1"]),
        (b"1234567890ab", [b"123456789"]),
    ],
)
def test_ends_marks_and_long_lines(data: bytes, lines: list[bytes]) -> None:
    assert split(data) == lines


def test_a_line_without_end_takes_no_more_memory_than_the_limit() -> None:
    splitter = LineSplitter(1 << 20)
    block = b"x" * (1 << 16)
    tracemalloc.start()
    try:
        for _ in range(1_600):  # 100 MB
            assert splitter.feed(block) == []
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
    assert [len(line) for line in splitter.feed(b"x\ny\n")] == [(1 << 20) + 1, 1]

"""The generator: repeatable, of the asked length, and at the edge of every rule."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sk_fundload.adapters._splitter import LineSplitter
from sk_fundload.domain import (
    ALL_REASONS,
    MAX_LINE_BYTES,
    PRIME_AMOUNT_CAP,
    PRIME_DAILY_GLOBAL_LIMIT,
    TOO_LATE,
    UNREADABLE_REASONS,
)
from sk_fundload.generator import generate
from sk_fundload.generator._dirt import UNREADABLE

MakeChain = Callable[..., Any]
PRIME_REASONS = {PRIME_AMOUNT_CAP, PRIME_DAILY_GLOBAL_LIMIT}


def lines_of(data: bytes) -> list[bytes]:
    splitter = LineSplitter(MAX_LINE_BYTES)
    lines = splitter.feed(data) + splitter.finish()
    return [line for line in lines if line.strip(b" \t\r\n")]


@pytest.mark.parametrize("dirty", [False, True])
@pytest.mark.parametrize("records", [0, 1, 999, 1_000, 1_001, 2_500])
def test_each_record_is_a_line_that_is_decided(records: int, dirty: bool) -> None:
    assert len(lines_of(b"".join(generate(records, 5, dirty=dirty)))) == records


@pytest.mark.parametrize("dirty", [False, True])
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(dirty: bool) -> None:
    first, again, other = (b"".join(generate(2_000, s, dirty=dirty)) for s in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("rules", ["baseline", "exp_mp"])
def test_dirty_input_meets_every_reason(make_chain: MakeChain, rules: str) -> None:
    chain = make_chain(rules)
    data = b"".join(generate(20_000, 7, dirty=True))
    met = Counter(chain.decide(line).reason for line in lines_of(data))
    possible = set(ALL_REASONS) - {TOO_LATE} - (set() if rules == "exp_mp" else PRIME_REASONS)
    assert set(met) == possible | {""}
    assert met[""] > 10_000


@pytest.mark.parametrize("rules", ["baseline", "exp_mp"])
@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_clean_records_meet_every_reason_but_the_unreadable_ones(
    make_chain: MakeChain, rules: str, seed: int
) -> None:
    chain = make_chain(rules)
    met = {chain.decide(line).reason for line in lines_of(b"".join(generate(1_000, seed)))}
    possible = set(ALL_REASONS) - set(UNREADABLE_REASONS) - {TOO_LATE}
    assert met == (possible if rules == "exp_mp" else possible - PRIME_REASONS) | {""}


def test_dirty_input_has_every_kind_of_dirt() -> None:
    data = b"".join(generate(20_000, 11, dirty=True))
    lines = set(lines_of(data))
    assert [line[:60] for line in UNREADABLE if line not in lines] == []
    assert {MAX_LINE_BYTES, MAX_LINE_BYTES + 1} <= {len(line) for line in lines}
    assert data.startswith(b"\xef\xbb\xbf")
    assert not data.endswith(b"\n")
    assert b"\r\n" in data
    assert b"\n\n" in data


def test_clean_input_is_strict_json_with_one_end_of_line() -> None:
    data = b"".join(generate(3_000, 3))
    assert data.endswith(b"\n")
    assert b"\r" not in data
    for line in data.splitlines():
        assert {"id", "customer_id", "load_amount", "time"} <= json.loads(line).keys()


def test_blocks_stay_small_however_long_the_stream() -> None:
    blocks = generate(10**12, 1)
    assert max(len(next(blocks)) for _ in range(20)) < 1 << 20

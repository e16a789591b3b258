"""The channel's contract, on the two channels of this package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sk_transport import DeadlineError, FrameKind, FrameLimits
from sk_transport.testing import (
    CHANNEL_CLAIMS,
    WIRE_CLAIMS,
    ChannelPair,
    Claim,
    MakePair,
    check_channel,
    check_claim,
    check_wire,
    memory_channel_pair,
    tcp_channel_pair,
)

each_maker = pytest.mark.parametrize("make_pair", [memory_channel_pair, tcp_channel_pair])


def named(claims: tuple[Claim, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("claim", claims, ids=[claim.__name__ for claim in claims])


@each_maker
@named(CHANNEL_CLAIMS)
def test_a_channel_keeps_its_promises(claim: Claim, make_pair: MakePair) -> None:
    check_claim(claim, make_pair)


@pytest.mark.contract("SEC-IPC-02", "SEC-IPC-04", "SEC-IPC-05", "IPC-INT-05")
@each_maker
@named(WIRE_CLAIMS)
def test_a_channel_refuses_what_is_wrong_on_its_wire(claim: Claim, make_pair: MakePair) -> None:
    check_claim(claim, make_pair)


def test_the_whole_suite_is_one_call() -> None:
    """As someone else would run it on a channel of theirs."""
    check_channel(memory_channel_pair)
    check_wire(memory_channel_pair)


def test_a_broken_promise_is_named() -> None:
    """Two ends with one name."""
    (claim,) = [c for c in CHANNEL_CLAIMS if c.__name__ == "each_end_knows_the_other"]

    def doubled(limits: FrameLimits) -> ChannelPair:
        end = memory_channel_pair(limits).left
        return ChannelPair(end, end)

    with pytest.raises(AssertionError, match="both ends have one name") as caught:
        check_claim(claim, doubled)
    assert caught.value.__notes__[0].startswith("the claim: each_end_knows_the_other: ")


def test_a_channel_that_raises_where_it_must_not_breaks_its_promise() -> None:
    def closed(limits: FrameLimits) -> ChannelPair:
        pair = memory_channel_pair(limits)
        pair.right.close()
        return pair

    with pytest.raises(AssertionError, match="raised ChannelClosedError"):
        check_channel(closed)


def test_the_claims_of_the_wire_say_that_they_need_one() -> None:
    def sealed(limits: FrameLimits) -> ChannelPair:
        pair = memory_channel_pair(limits)
        return ChannelPair(pair.left, pair.right)

    with pytest.raises(AssertionError, match="need a pair with inject") as caught:
        check_wire(sealed)
    assert caught.value.__notes__[0].startswith("the claim: a_frame_sent_twice_is_received_once")


def test_a_memory_channel_holds_no_more_than_its_capacity() -> None:
    """A sender waits for its reader, as on a socket."""
    with memory_channel_pair(capacity_bytes=100) as pair:
        pair.left.send(FrameKind.BATCH, b"", b"x" * 36, timeout=0)
        with pytest.raises(DeadlineError):
            pair.left.send(FrameKind.BATCH, b"", b"x", timeout=0)


README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


@pytest.mark.parametrize("example", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_an_example_of_the_readme_runs_and_prints_what_it_says(
    example: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - our own example
    assert capsys.readouterr().out.strip() in README

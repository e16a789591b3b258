"""What a sender has skipped is counted with what goes on, and with nothing else."""

from __future__ import annotations

import selectors
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_supervisor import prepare
from sk_supervisor._hub.forwarding import Forwarding
from sk_supervisor._hub.links import HubLink, HubLinks
from sk_supervisor._hub.relay import Relay
from sk_supervisor._protocol.frames import encode_header
from sk_transport import (
    Channel,
    DetachedChannel,
    FrameDecoder,
    FrameKind,
    FrameLimits,
    KeyMaterial,
    Signer,
)
from supervisor_frames import header
from supervisor_harness import settings

WORKERS = {"in-0": "in-0.1", "mid-0": "mid-0.1", "out-0": "out-0.1"}
#: Of the sender. A batch asks nothing of it.
LINK = HubLink(DetachedChannel("in-0.1", None, None, None, None))  # type: ignore[arg-type]


class Hub:
    """What forwards, with nobody linked: what is sent waits for its receiver."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.relay = Relay(prepare(build_config(settings(Path("out.txt")))).plan, WORKERS, ["mid"])
        self.links = HubLinks(selector, on_lost=lambda _: None)
        self.counted: list[tuple[str, int, bool]] = []
        self.forwarding = Forwarding(
            self.relay,
            self.links,
            None,
            on_complete=lambda: None,
            on_sink_ended=lambda *_: None,
            on_skipped=lambda *told: self.counted.append((*told, self.has_sent)),
        )

    @property
    def has_sent(self) -> bool:
        return bool(self.links._early)

    def take(self, **changes: Any) -> None:
        """A frame of the first worker's comes, which has skipped seven records so far."""
        key = KeyMaterial.generated().derive("s", "in-0.1", "mid-0.1")
        signer = Signer(Channel("s", "in-0.1", "mid-0.1"), key)
        sent = b"".join(signer.seal(FrameKind.BATCH, encode_header(header(skipped=7, **changes))))
        [frame] = FrameDecoder(FrameLimits()).feed(sent)
        self.forwarding.take("in-0.1", LINK, frame)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with selectors.DefaultSelector() as selector:
        yield Hub(selector)


def test_with_a_batch_that_goes_on_it_is_counted_before_the_batch_does(hub: Hub) -> None:
    hub.take()
    assert hub.counted == [("in-0.1", 7, False)]
    assert hub.has_sent


def test_with_a_frame_behind_which_more_of_its_batch_comes_it_is_not(hub: Hub) -> None:
    hub.take(more=True)
    assert hub.has_sent
    assert not hub.counted


@pytest.mark.parametrize("replaced", ["in-0.2", "mid-0.2"])
def test_with_a_frame_of_or_for_a_worker_that_was_replaced_it_is_not(
    hub: Hub, replaced: str
) -> None:
    hub.relay.hand_over(replaced)
    hub.take()
    assert not hub.has_sent
    assert not hub.counted

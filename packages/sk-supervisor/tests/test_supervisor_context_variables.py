"""What a module sets in the context as it is imported is set in every thread that runs its code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import context_app  # sets the variable in this thread, as a program does that imports and serves
import pytest
from asking import Gate, asked
from sk_kernel import Envelope
from sk_supervisor import serve

NODES = (
    {"name": "one", "nodes": ["plain"]},
    {"name": "two", "nodes": ["awaited"], "runner_profile": "async"},
)
ALL = (*NODES, {"name": "ends", "nodes": ["source:source", "sink:sink"]})
MODULES = ["context_app"]


@pytest.mark.contract("P5PRE-ENV-01")
@pytest.mark.parametrize("groups", [None, ALL], ids=["memory", "processes"])
def test_a_source_its_interrupt_and_its_close_find_what_the_import_has_set(
    tmp_path: Path, groups: Sequence[Any] | None
) -> None:
    told, written, gate = tmp_path / "told.txt", tmp_path / "written.txt", Gate(tmp_path)
    adapters = {
        "source": {"name": "found", "settings": {"path": str(told)}},
        "sink": {"name": "told", "settings": {"path": str(written), "gate": gate.path}},
    }
    with serve(asked(groups, modules=MODULES, adapters=adapters)):
        gate.open()  # behind what the source has given
    found = written.read_text("utf-8").splitlines()
    assert found == ["read 6", "open True", "plain 6", "awaited 6"]
    assert sorted(told.read_text("utf-8").splitlines()) == ["close 6", "interrupt 6"]


@pytest.mark.contract("P5PRE-ENV-01")
@pytest.mark.parametrize("groups", [None, NODES], ids=["memory", "processes"])
def test_the_nodes_of_a_request_find_what_the_import_has_set(groups: Sequence[Any] | None) -> None:
    with serve(asked(groups, modules=MODULES)) as service:
        reply = service.request(Envelope(context_app.Seen())).wait()
    assert reply.payload == context_app.Reply(["plain 6", "awaited 6"])

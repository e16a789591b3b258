"""What the README shows is what the package does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sk_control import BundleAck, Ready, SessionState, StartWork, Stop, WorkerMessage

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    """Copied out and run, it does what its comments say."""
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert example is not None
    names: dict[str, Any] = {}
    exec(example[1], names)  # noqa: S102 - our own text
    assert [names["acknowledged"], names["ready"]] == [
        WorkerMessage("features-0-1", BundleAck()),
        WorkerMessage("features-0-1", Ready(("out.txt.partial",))),
    ]
    assert [names["started"], names["stop"]] == [StartWork(), Stop(True, "end of run")]
    assert names["server"].states() == {"features-0-1": SessionState.STOPPED}

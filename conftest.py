"""What holds for every test of the repository; the rules themselves live in ``testbeds/house``."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = [
    "contract_marks",
    "contract_engines",
    "contract_report",
    "leftover_processes",
    "browser_visits",
    "pytester",
]

# How long an example takes says nothing on a machine that runs other tests at the same time. What
# has passed the few of each run is tried on many in the session `soak`.
settings.register_profile("house", deadline=None, max_examples=40)
settings.register_profile("soak", deadline=None, max_examples=500)
settings.load_profile("house")

# ``nohup``, and a shell that runs a job in the background, have it ignore these, and so would what
# tests start. What is handled is as it was born in whoever is started; here nothing comes of it.
for number in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)


@pytest.fixture(scope="session", autouse=True)
def run_dir() -> Iterator[Path]:
    """A run directory of these tests' own; a socket's path must be short, which tmp_path is not."""
    folder = Path(tempfile.mkdtemp(prefix="sk-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SK_RUN_DIR", str(folder))
        yield folder
    shutil.rmtree(folder)

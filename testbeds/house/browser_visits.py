"""Pytest plugin: a page in a real browser, its console, and what it asks a network for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_OPTIONS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-first-run",
    "--allow-file-access-from-files",
    "--enable-logging=stderr",
    "--dump-dom",
)
_BROWSERS_OWN: Final = "not an origin"
_SECONDS: Final = 120


@dataclass(frozen=True)
class Visit:
    """A page when all of it was loaded: its HTML, the words on its console, the addresses asked."""

    content: str
    said: str
    asked: list[str]

    @property
    def facts(self) -> dict[str, Any]:
        """What a frame's script has found out, and put into the title as JSON."""
        found = re.search("<title>(.*?)</title>", self.content)
        assert found is not None
        facts: dict[str, Any] = json.loads(found[1])
        return facts


@dataclass(frozen=True)
class Browser:
    """A browser that resolves no name and shows no window; what it writes goes to ``folder``."""

    program: str
    folder: Path

    def visit(self, page: Path, *options: str) -> Visit:
        """Load a page."""
        network = self.folder / "network.json"
        own = [f"--user-data-dir={self.folder / 'profile'}", f"--log-net-log={network}"]
        done = subprocess.run(
            [self.program, *_OPTIONS, *own, *options, page.as_uri()],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        said = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
        return Visit(done.stdout, said, requests(network))

    def visit_framed(self, template: str, page: Path, width: int, *options: str) -> Visit:
        """Load a page of exactly this width: a window cannot be as narrow as a phone is.

        ``template`` is the HTML of the frame, in which ``page`` and ``width`` are filled in.
        """
        frame = self.folder / "frame.html"
        frame.write_text(template.format(page=page.as_uri(), width=width), "utf-8")
        return self.visit(frame, *options)


def requests(network: Path) -> list[str]:
    """The addresses that a page asked for over a network; what the browser itself does is not."""
    events: list[dict[str, Any]] = json.loads(network.read_text("utf-8"))["events"]
    found = (event.get("params", {}) for event in events)
    of_pages = [p for p in found if p.get("initiator", _BROWSERS_OWN) != _BROWSERS_OWN]
    return sorted({p["url"] for p in of_pages if not p["url"].startswith(("file:", "data:"))})


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """The browser that there is."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.fail(f"needs a browser: {' or '.join(_NAMES)}", pytrace=False)
    return Browser(found, tmp_path)

"""The built site in a real browser: no word on its console, no request, all diagrams drawn."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTHS = (360, 1280)
PAGES = ("index.html", "architecture.html", "configuration.html", "api/sk_kernel.html")
SECONDS = 120
FRAME = """<!doctype html><title>frame</title><body style="margin:0">
<iframe id="it" src="{page}" style="width:{width}px;height:4000px;border:0"></iframe>
<script>
addEventListener("load", () => setTimeout(() => {{
  const it = document.getElementById("it").contentDocument;
  document.title = JSON.stringify({{
    wide: it.documentElement.scrollWidth,
    text: it.documentElement.textContent.length,
    diagrams: it.querySelectorAll("pre.mermaid").length,
    drawn: it.querySelectorAll("pre.mermaid > svg:not([aria-roledescription=error])").length,
    cut: [...it.querySelectorAll("pre.mermaid foreignObject")].filter(
      (box) => box.firstElementChild.scrollWidth > Math.ceil(box.width.baseVal.value),
    ).length,
  }});
}}, 8000));
</script>
"""


@pytest.fixture
def browser() -> str:
    """The browser that there is."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail(f"needs a browser: {' or '.join(NAMES)}", pytrace=False)
    return found


@pytest.fixture
def site() -> Path:
    """Where the session `docs` has built the site."""
    if "SK_SITE" not in os.environ:
        pytest.fail("SK_SITE does not say where the site is: nox -s docs", pytrace=False)
    return Path(os.environ["SK_SITE"])


def visit(browser: str, folder: Path, page: Path, width: int) -> tuple[dict[str, Any], str, str]:
    """Load a page, of this width; facts of it, what the console said, and what it asked for."""
    frame, network = folder / "frame.html", folder / "network.json"
    frame.write_text(FRAME.format(page=page.as_uri(), width=width), "utf-8")
    done = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--no-first-run",
            "--allow-file-access-from-files",
            f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={network}",
            "--enable-logging=stderr",
            "--virtual-time-budget=20000",
            "--dump-dom",
            frame.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    said = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    found = re.search("<title>(.*?)</title>", done.stdout)
    assert found is not None
    return json.loads(found[1]), said, asked_of(network)


def asked_of(network: Path) -> str:
    """The addresses that a page asked for over a network; what the browser itself does is not."""
    events: list[dict[str, Any]] = json.loads(network.read_text("utf-8"))["events"]
    found = (event.get("params", {}) for event in events)
    urls = {p["url"] for p in found if p.get("initiator", "not an origin") != "not an origin"}
    return "\n".join(sorted(url for url in urls if not url.startswith(("file:", "data:"))))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_nobody_draws_its_diagrams_and_is_as_wide_as_its_window(
    browser: str, site: Path, tmp_path: Path, name: str, width: int
) -> None:
    facts, said, asked = visit(browser, tmp_path, site / name, width)
    assert (said, asked) == ("", "")
    assert facts["text"] > 1_000
    assert facts["drawn"] == facts["diagrams"]
    assert facts["cut"] == 0  # of the words in them
    assert facts["diagrams"] > 0 or name not in {"index.html", "architecture.html"}
    assert facts["wide"] <= width

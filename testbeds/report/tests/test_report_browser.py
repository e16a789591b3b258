"""The pages in a real browser: no word on its console, no request to anywhere, at three widths."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from write_report import main

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTHS = (360, 800, 1400)
SECONDS = 120
BROWSERS_OWN = "not an origin"
PREFERS = "preferredColorScheme={}"
FRAME = """<!doctype html><title>frame</title><body style="margin:0">
<iframe id="it" src="{page}" style="width:{width}px;height:4000px;border:0"></iframe>
<script>
addEventListener("load", () => {{
  const it = document.getElementById("it").contentDocument.documentElement;
  document.title = JSON.stringify({{
    wide: it.scrollWidth, width: {width}, text: it.textContent.length,
    dark: getComputedStyle(it.querySelector("body")).backgroundColor,
  }});
}});
</script>
"""


@pytest.fixture
def browser() -> str:
    """The browser that there is."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail(f"needs a browser: {' or '.join(NAMES)}", pytrace=False)
    return found


def visit(browser: str, folder: Path, page: Path, *options: str) -> tuple[str, str, list[str]]:
    """Load a page; its content when all is loaded, what the console said, and what it asked for."""
    network = folder / "network.json"
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
            "--dump-dom",
            *options,
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    said = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return done.stdout, said, requests(network)


def requests(network: Path) -> list[str]:
    """The addresses that a page asked for over a network; what the browser itself does is not."""
    events: list[dict[str, Any]] = json.loads(network.read_text("utf-8"))["events"]
    found = (event.get("params", {}) for event in events)
    of_pages = [p for p in found if p.get("initiator", BROWSERS_OWN) != BROWSERS_OWN]
    return sorted({p["url"] for p in of_pages if not p["url"].startswith(("file:", "data:"))})


def framed(folder: Path, page: Path, width: int) -> Path:
    """A page of exactly this width: a window cannot be as narrow as a phone is."""
    path = folder / f"frame-{width}.html"
    path.write_text(FRAME.format(page=page.as_uri(), width=width), "utf-8")
    return path


def measured(content: str) -> dict[str, Any]:
    found = re.search("<title>(.*?)</title>", content)
    assert found is not None
    facts: dict[str, Any] = json.loads(found[1])
    return facts


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["index.html", "contracts.html"])
def test_a_page_loads_without_error_or_request_and_only_its_tables_scroll(
    browser: str, reports: Path, name: str, width: int
) -> None:
    main(["--reports", str(reports)])
    content, said, asked = visit(browser, reports, framed(reports, reports / name, width))
    facts = measured(content)
    assert (said, asked) == ("", [])
    assert facts["text"] > 1_000
    assert facts["wide"] <= width


def test_a_page_is_dark_where_that_is_preferred(browser: str, reports: Path) -> None:
    main(["--reports", str(reports)])
    frame = framed(reports, reports / "index.html", 800)
    shown = {
        scheme: measured(visit(browser, reports, frame, f"--blink-settings={setting}")[0])["dark"]
        for scheme, setting in (("light", PREFERS.format(1)), ("dark", PREFERS.format(0)))
    }
    assert shown == {"light": "rgb(246, 247, 249)", "dark": "rgb(13, 17, 23)"}


def test_a_request_and_an_error_would_be_seen(browser: str, tmp_path: Path) -> None:
    """What finds nothing may be looking at nothing."""
    page = tmp_path / "page.html"
    page.write_text(
        "<!doctype html><img src='http://127.0.0.1:9/image.png'><script>nosuch()</script>"
    )
    _, said, asked = visit(browser, tmp_path, page)
    assert "nosuch is not defined" in said
    assert asked == ["http://127.0.0.1:9/image.png"]

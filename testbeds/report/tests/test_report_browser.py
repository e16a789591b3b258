"""The pages in a real browser: no word on its console, no request to anywhere, at three widths."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser_visits import Browser
from write_report import main

pytestmark = pytest.mark.browser

WIDTHS = (360, 800, 1400)
PREFERS = "--blink-settings=preferredColorScheme={}"
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


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["index.html", "contracts.html"])
def test_a_page_loads_without_error_or_request_and_only_its_tables_scroll(
    browser: Browser, reports: Path, name: str, width: int
) -> None:
    main(["--reports", str(reports)])
    visit = browser.visit_framed(FRAME, reports / name, width)
    assert (visit.said, visit.asked) == ("", [])
    assert visit.facts["text"] > 1_000
    assert visit.facts["wide"] <= width


def test_a_page_is_dark_where_that_is_preferred(browser: Browser, reports: Path) -> None:
    main(["--reports", str(reports)])
    page = reports / "index.html"
    shown = {
        scheme: browser.visit_framed(FRAME, page, 800, PREFERS.format(setting)).facts["dark"]
        for scheme, setting in (("light", 1), ("dark", 0))
    }
    assert shown == {"light": "rgb(246, 247, 249)", "dark": "rgb(13, 17, 23)"}


def test_a_request_and_an_error_would_be_seen(browser: Browser, tmp_path: Path) -> None:
    """What finds nothing may be looking at nothing."""
    page = tmp_path / "page.html"
    page.write_text(
        "<!doctype html><img src='http://127.0.0.1:9/image.png'><script>nosuch()</script>"
    )
    visit = browser.visit(page)
    assert "nosuch is not defined" in visit.said
    assert visit.asked == ["http://127.0.0.1:9/image.png"]

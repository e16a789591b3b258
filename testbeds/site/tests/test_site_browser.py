"""The built site in a real browser: no word on its console, no request, all diagrams drawn."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from browser_visits import Browser

pytestmark = pytest.mark.browser

WIDTHS = (360, 1280)
PAGES = ("index.html", "architecture.html", "configuration.html", "api/sk_kernel.html")
AS_WRITTEN = r"<(pre|code|script|style)\b.*?</\1>"
WAITS = "--virtual-time-budget=20000"
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
def site() -> Path:
    """Where the session `docs` has built the site."""
    if "SK_SITE" not in os.environ:
        pytest.fail("SK_SITE does not say where the site is: nox -s docs", pytrace=False)
    return Path(os.environ["SK_SITE"])


def test_a_number_on_a_page_is_never_on_two_lines(site: Path) -> None:
    for name in ("index.html", "performance.html"):
        page = (site / name).read_text("utf-8")
        text = re.sub(f"(?s){AS_WRITTEN}|<[^>]*>", "", page)
        assert re.search("\\d\N{NO-BREAK SPACE}000", text)
        assert not re.search(r"\d \d{3}\b|\d %", text)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_nobody_draws_its_diagrams_and_is_as_wide_as_its_window(
    browser: Browser, site: Path, name: str, width: int
) -> None:
    visit = browser.visit_framed(FRAME, site / name, width, WAITS)
    facts = visit.facts
    assert (visit.said, visit.asked) == ("", [])
    assert facts["text"] > 1_000
    assert facts["drawn"] == facts["diagrams"]
    assert facts["cut"] == 0  # of the words in them
    assert facts["diagrams"] > 0 or name not in {"index.html", "architecture.html"}
    assert facts["wide"] <= width

"""What the documentation prints from the code is what the code says."""

from __future__ import annotations

import re

import pytest
from print_docs import DOCS, PRINTERS, UnknownPrinterError, names_in, printed, stale
from printed_growth import tables_of
from sk_control import MessageKind, ProtocolCode, SessionState

PAGES = sorted(DOCS.glob("*.md"))


def test_every_printed_block_is_current() -> None:
    """`python testbeds/house/print_docs.py --write` mends it."""
    assert [path.name for path, _ in stale()] == []


def test_every_printer_is_used_by_some_page() -> None:
    used = {name for page in PAGES for name in names_in(page.read_text("utf-8"))}
    assert used == PRINTERS.keys()


def test_a_block_is_printed_anew_and_the_text_around_it_is_left_alone() -> None:
    before = "a\n<!-- printed: session-table -->\nold\n<!-- end printed -->\nb\n"
    after = printed(before)
    assert after.startswith("a\n<!-- printed: session-table -->\n\n| message |")
    assert after.endswith("|\n\n<!-- end printed -->\nb\n")
    assert printed(after) == after


def test_a_page_that_names_no_printer_is_told_which_there_are() -> None:
    with pytest.raises(UnknownPrinterError, match="session-table"):
        printed("<!-- printed: nonsense -->\n<!-- end printed -->")


def test_the_session_table_has_a_cell_for_every_message_in_every_state() -> None:
    _, _, *rows = PRINTERS["session-table"]().splitlines()
    assert len(rows) == len(MessageKind)
    assert {row.count(" | ") for row in rows} == {len(SessionState)}


def test_every_rule_of_the_session_is_on_the_page() -> None:
    page = (DOCS / "control.md").read_text("utf-8")
    told = {code for code in ProtocolCode if f"_{code}_" in page or f"`{code}`" in page}
    assert set(ProtocolCode) - told == set()


def test_every_block_that_a_field_of_the_configuration_links_has_its_section() -> None:
    text = PRINTERS["configuration"]()
    titles = re.findall(r"^### (.*)$", text, re.MULTILINE)
    sections = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    linked = set(re.findall(r"\(#([^)]+)\)", text))
    assert linked
    assert linked - sections == set()


def test_a_report_is_printed_from_its_first_table_on_and_a_step_further_down() -> None:
    assert tables_of("# Cost\n\nWhere.\n\n## A\n\n| a |\n\n## B\n") == "### A\n\n| a |\n\n### B"

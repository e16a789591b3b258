"""Printing tables of the code into the documentation, between marks that name their printer:

    <!-- printed: session-table -->
    ...
    <!-- end printed -->

`python testbeds/house/print_docs.py` says which blocks are out of date; with `--write` it prints
them anew. A test holds them current.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from printed_commands import commands_of_fundload, commands_of_sk
from printed_configuration import configuration_reference
from printed_growth import growth_tables
from printed_lifecycle import group_table, lifecycle_diagram, lifecycle_table
from printed_metrics import metric_bounds, metric_table
from printed_packages import package_diagram
from printed_rooms import rooms_table
from printed_sequence import run_sequence
from printed_session import session_diagram, session_table

DOCS = Path(__file__).resolve().parents[2] / "docs"

PRINTERS: Mapping[str, Callable[[], str]] = {
    "commands-of-sk": commands_of_sk,
    "commands-of-sk-fundload": commands_of_fundload,
    "configuration": configuration_reference,
    "group-table": group_table,
    "growth": growth_tables,
    "lifecycle-diagram": lifecycle_diagram,
    "lifecycle-table": lifecycle_table,
    "metric-bounds": metric_bounds,
    "metric-table": metric_table,
    "package-diagram": package_diagram,
    "rooms": rooms_table,
    "run-sequence": run_sequence,
    "session-diagram": session_diagram,
    "session-table": session_table,
}
"""What can be printed, by the name in the mark."""

_BLOCK = re.compile(r"(<!-- printed: (\S+) -->\n).*?(<!-- end printed -->)", re.DOTALL)


class UnknownPrinterError(Exception):
    """A document names a printer that does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no printer is named {name!r}; there are {', '.join(sorted(PRINTERS))}")


def printed(text: str) -> str:
    """The text with every block printed anew. Raises `UnknownPrinterError`."""
    return _BLOCK.sub(_print_block, text)


def names_in(text: str) -> list[str]:
    """The printers that a text names."""
    return [match[2] for match in _BLOCK.finditer(text)]


def stale() -> Iterator[tuple[Path, str]]:
    """Each document that is out of date, with what it should say."""
    for path in sorted(DOCS.glob("*.md")):
        before = path.read_text("utf-8")
        after = printed(before)
        if after != before:
            yield path, after


def _print_block(match: re.Match[str]) -> str:
    start, name, end = match.groups()
    try:
        printer = PRINTERS[name]
    except KeyError:
        raise UnknownPrinterError(name) from None
    return f"{start}\n{printer().strip()}\n\n{end}"


def main() -> int:
    """Run the command line; give the exit code: 1 when something is out of date."""
    write = "--write" in sys.argv[1:]
    found = list(stale())
    for path, text in found:
        sys.stdout.write(f"{'printed' if write else 'out of date'}: {path}\n")
        if write:
            path.write_text(text, "utf-8")
    return 1 if found and not write else 0


if __name__ == "__main__":
    sys.exit(main())

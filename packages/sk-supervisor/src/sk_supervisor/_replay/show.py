"""The results of a replay as text, for a terminal or a file. Large payloads are cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import indent
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text
from rich.tree import Tree
from sk_kernel import NodeSpan
from sk_kernel.runtime import SINK, SOURCE

from sk_supervisor._replay.call_recorder import RecordedCall
from sk_supervisor._replay.letters import LetterOptions, Replayed
from sk_supervisor._replay.path import RecordPath
from sk_supervisor._text.units import records

#: The maximum number of characters shown of a payload.
SHOWN = 500
#: The characters shown before the first difference.
_LEAD = 60


def show_path(path: RecordPath, title: str, stream: TextIO) -> None:
    """Print a record's path node by node, and its span tree."""
    console = Console(file=stream, highlight=False, soft_wrap=True)
    lines = [title, SOURCE]
    lines.append(f"  out    {cut(path.payload)}")
    for call in path.calls:
        lines += _call(call)
    if path.error is not None:
        lines.append(f"the run ended here: {path.error}")
    for line in lines:
        console.print(Text(line))
    console.print(_tree(path.spans))


def show_letters(result: Replayed, path: str, how: LetterOptions, stream: TextIO) -> None:
    """Print what became of dead letters, and how many are in the file of remaining ones."""
    total = result.succeeded + result.held + result.failed
    became = f"{result.succeeded:,} succeeded, {result.failed:,} failed"
    if result.held:
        became += f", {result.held:,} held"
    written = f"{records(result.written)} written" if result.written else "nothing was written"
    if result.succeeded and not how.write:
        written += " (give --output or --write)"
    print(f"{path}: replayed {total:,}: {became}; {written}", file=stream)
    for failure in result.failures:
        print(indent(failure, "  "), file=stream)
    if result.failed > len(result.failures):
        print(f"  and {result.failed - len(result.failures):,} more (--limit)", file=stream)
    for node, count in sorted(result.held_by.items()):
        held = records(count)
        print(f"  {node!r}, which does not finish in a replay, holds {held}", file=stream)
    if result.left is not None:
        unread = f"; of {result.unreadable:,} lines that are no letters, none"
        print(
            f"{how.remaining}: {result.left:,} remaining" + (unread if result.unreadable else ""),
            file=stream,
        )


def cut(value: Any) -> str:
    """A value's representation, cut to `SHOWN` characters."""
    text = repr(value)
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}\u2026 ({len(text):,} characters)"


def _call(call: RecordedCall) -> Iterator[str]:
    yield call.node
    yield f"  in     {cut(call.payload)}"
    for seen in call.states:
        name = f"{seen.state}[{seen.key}]" if seen.key else seen.state
        yield f"  state  {name}: {change(seen.before, seen.after)}"
    if call.error is not None:
        yield f"  raised {cut(call.error)}"
    elif call.node != SINK:
        yield f"  out    {cut(call.output)}"


def change(before: str, after: str) -> str:
    """A text before and after; if one is long, from shortly before the first difference."""
    if before == after:
        return _from(0, before)
    start = 0
    if max(len(before), len(after)) > SHOWN:
        pairs = enumerate(zip(before, after, strict=False))
        differs = next((i for i, (a, b) in pairs if a != b), min(len(before), len(after)))
        start = max(0, differs - _LEAD)
    return f"{_from(start, before)} -> {_from(start, after)}"


def _from(start: int, text: str) -> str:
    if not text:
        return "nothing"
    end = start + SHOWN
    return "\u2026" * (start > 0) + text[start:end] + "\u2026" * (len(text) > end)


def _tree(spans: Sequence[NodeSpan]) -> Tree:
    known = {span.span_id for span in spans}
    root = Tree(Text("spans"))
    branches: dict[str | None, Tree] = {None: root}
    for span in sorted(spans, key=lambda span: span.start_ns):
        parent = span.parent_id if span.parent_id in known else None
        branch = branches.get(parent, root)
        took = (span.end_ns - span.start_ns) / 1e6
        failed = f" raised {span.error}" if span.error else ""
        branches[span.span_id] = branch.add(Text(f"{span.name} {took:.3f} ms{failed}"))
    return root

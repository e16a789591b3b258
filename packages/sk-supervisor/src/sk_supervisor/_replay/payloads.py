"""Dead letters in readable form: the record that failed, and the payload that the node received."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TextIO

from sk_kernel import DeadLetter, DeadLetterError, letter_lines, read_letter
from sk_kernel.runtime import Graph, payload_of

from sk_supervisor._replay.show import cut
from sk_supervisor._show.rows import shown


def show_payloads(graph: Graph, path: str, limit: int, stream: TextIO) -> bool:
    """Print the first ``limit`` dead letters of a file, or folder, and their number; run nothing.

    Returns whether all of these could be read, with their payloads.

    :raises DeadLetterError: when the file cannot be read.
    """
    count, is_whole = 0, True
    with closing(letter_lines(path)) as lines:
        for count, line in enumerate(lines, 1):
            if count <= limit:
                try:
                    told = list(_told(graph, read_letter(line)))
                except DeadLetterError as error:
                    problem = f"cannot {error.action} {error.what}: {error.problem}"
                    told, is_whole = [f"line {count}: {problem}"], False
                print(*told, sep="\n", file=stream)
    more = f", {count - limit:,} more (--limit)" if count > limit else ""
    print(f"{path}: {count:,} letter{'s' * (count != 1)}{more}", file=stream)
    return is_whole


def _told(graph: Graph, letter: DeadLetter) -> Iterator[str]:
    _, payload = payload_of(graph, letter)
    tried = f", {letter.attempts:,} attempts" if letter.attempts > 1 else ""
    ids = f"trace {letter.trace_id} of run {letter.run_id}"
    yield shown(f"record {letter.sequence}, node {letter.node!r}: {letter.cause}{tried}; {ids}")
    yield f"  {cut(payload)}"
    if letter.reply_to is not None:
        yield f"  reply to {letter.reply_to!r}"
    if letter.headers:
        yield f"  headers {cut(letter.headers)}"

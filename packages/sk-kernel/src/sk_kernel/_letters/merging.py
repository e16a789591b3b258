"""Merge the parts of a run's dead letters, any number of them, in the order of the dead letters."""

from __future__ import annotations

import contextlib
import heapq
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from math import inf
from operator import itemgetter
from typing import IO, Final, NamedTuple

from sk_kernel._letters.letters import SortKey, sort_key_of
from sk_kernel._letters.parts import worker_of
from sk_kernel.errors import DeadLetterError

Records = Sequence[tuple[int, float]]
"""Ranges of sequence numbers: from each pair's first number, excluded, to its second, included."""

Share = Callable[[str, str], Records]
"""Returns, for a worker and one of its nodes, the records whose dead letters belong to the output.
These are not all records if the worker replaced another one, or was replaced."""

#: How many files are open at once: well below the limit of any system.
_AT_ONCE: Final = 64
_WHOLE: Final = ((0, inf),)


class _Sorted(NamedTuple):
    """A sorted file of dead letters, and a function for the records that belong to the output."""

    path: str
    share: Callable[[str], Records]


def merged(paths: Sequence[str], share: Share | None, folder: str | None) -> Iterator[bytes]:
    """Yield the lines of these parts, in the order of their dead letters.

    A worker that took over from another one may have repeated some of them; each comes once.

    :param share: which dead letters of each worker belong to the output; None for all of them.
    :param folder: where intermediate files are written if there are more parts than may be open at
        once; None for the system's folder for temporary files.
    :raises DeadLetterError: when a line is not a dead letter.
    """
    files = [_Sorted(path, partial(share, worker_of(path)) if share else _all) for path in paths]
    if len(files) <= _AT_ONCE:
        yield from _one_pass(files)
        return
    from tempfile import TemporaryDirectory  # imported here because most runs have few parts

    with TemporaryDirectory(prefix="merging.", dir=folder) as scratch:
        number = 0
        while len(files) > _AT_ONCE:
            fewer = []
            for start in range(0, len(files), _AT_ONCE):
                number += 1
                path = os.path.join(scratch, str(number))
                with open(path, "wb") as file:
                    file.writelines(_one_pass(files[start : start + _AT_ONCE]))
                fewer.append(_Sorted(path, _all))
            files = fewer
        yield from _one_pass(files)


def _all(node: str) -> Records:
    return _WHOLE


def _one_pass(files: Sequence[_Sorted]) -> Iterator[bytes]:
    last: SortKey | None = None
    with contextlib.ExitStack() as stack:
        lines = [_lines(stack.enter_context(open(each.path, "rb")), each.share) for each in files]
        for sort_key, line in heapq.merge(*lines, key=itemgetter(0)):
            if sort_key != last:
                yield line
            last = sort_key


def _lines(file: IO[bytes], share: Callable[[str], Records]) -> Iterator[tuple[SortKey, bytes]]:
    """Yield the dead letters of records in a node's share, and all of requests, which run once."""
    share_of = cache(share)
    for number, line in enumerate(file, 1):
        if line.endswith(b"\n"):  # otherwise its writer died here, and the batch was run again
            try:
                sort_key = sort_key_of(line)
            except DeadLetterError as error:
                what = f"{file.name}, line {number}"
                raise DeadLetterError("read", what, error.problem) from None
            sequence, node, _ = sort_key
            if sequence <= 0 or any(after < sequence <= to for after, to in share_of(node)):
                yield sort_key, line

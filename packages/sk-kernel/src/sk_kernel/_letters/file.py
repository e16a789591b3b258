"""The file of a run's dead letters: parts while it runs, merged into the target when it has ended.

Every segment of every process writes a part of its own, in order, into a folder beside the target;
so there is nothing to wait for, and merging them takes a line of each in memory. What only a run
with dead letters needs is imported by it.
"""

from __future__ import annotations

import contextlib
import heapq
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import cache, partial
from math import inf
from operator import itemgetter
from typing import IO

from sk_kernel._declare.failure import FailureSpec
from sk_kernel._letters.keep import file_name, name_of
from sk_kernel._letters.letters import Place, place_of
from sk_kernel._letters.place import put_in_place, refuse_others, told_of
from sk_kernel.errors import DeadLetterError, DeadLettersLeftError

Records = Sequence[tuple[int, float]]
"""Numbers of records: those behind the first, up to the second, of each pair."""

Share = Callable[[str, str], Records]
"""Gives the records of which the letters of a worker, by one of its nodes, belong to the output.
They are not all where it was followed by another, or has followed one."""

_MERGED = "merged"
_PART = ".part"


class DeadLetterFile:
    """The target stays as it is until :meth:`commit`.

    Of a run in which no node has the policy ``dead_letter`` there is no file, and nothing is done.

    :raises DeadLetterError: from every method but :meth:`abort`, when the file system refuses.
    """

    def __init__(self, failure: FailureSpec) -> None:
        # Through a link: the file that it leads to is replaced, and the link is kept.
        self._target = os.path.realpath(failure.dead_letters or "") if failure.writes else ""
        self._folder = ""
        self._in_place = False

    def open(self) -> str:
        """Make the folder that parts are written into; its path, or empty where there is none."""
        if self._target:
            from tempfile import mkdtemp

            folder, name = os.path.split(self._target)
            with told_of("open", self._target):
                refuse_others(self._target)
                self._folder = mkdtemp(prefix=f"{name}.", suffix=".parts", dir=folder)
        return self._folder

    def stage(self, share: Share | None = None) -> int:
        """Merge the parts, all of which are complete; the number of letters.

        :param share: whose letters of which records belong to the output; None for all of them.
        """
        if not self._folder:
            return 0
        count = 0
        staged = os.path.join(self._folder, _MERGED)
        with told_of("merge", self._folder), open(staged, "wb") as merged:
            for line in _merged(_parts(self._folder), share or _all):
                merged.write(line)
                count += 1
            merged.flush()
            os.fsync(merged.fileno())
        return count

    def commit(self) -> None:
        """Put what was staged in place of the target; letters that are there are kept beside it.

        The folder stays: somebody whose letters nobody waits for may still write into it.
        """
        if self._folder:
            put_in_place(self._target, os.path.join(self._folder, _MERGED))
            self._in_place = True

    @contextlib.contextmanager
    def behind(self, *, commit: bool) -> Iterator[None]:
        """What is done with the letters in the block is, or is not, behind the output's ``commit``.

        :raises DeadLettersLeftError: when it is, and the file system refuses.
        """
        try:
            yield
        except DeadLetterError as error:
            if not commit:
                raise
            raise DeadLettersLeftError(error, self._left()) from error.__cause__

    def abort(self) -> None:
        """Nobody writes any more: keep the parts, where there are any that are not in place."""
        with contextlib.suppress(DeadLetterError):
            if self._folder and not self.partial_outputs():
                self._remove()

    def partial_outputs(self) -> tuple[str, ...]:
        """The folder, if there is any letter in it, and they are not in place."""
        if not self._folder or self._in_place:
            return ()
        with told_of("look at", self._folder):
            return (self._folder,) if _parts(self._folder) else ()

    def _left(self) -> str:
        try:
            return "".join(self.partial_outputs())
        except DeadLetterError:  # nobody can look into it now: it is told what it was
            return self._folder

    def _remove(self) -> None:
        import shutil

        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = ""


def letter_part(folder: str, worker: str, segment: int) -> str:
    """The part of one segment in one worker; empty where there is no folder."""
    return os.path.join(folder, f"{file_name(worker)}.{segment}{_PART}") if folder else ""


def letter_lines(path: str) -> Generator[bytes, None, None]:
    """The lines of a file of dead letters, or, in their order, of a folder of parts.

    :raises DeadLetterError: when it cannot be read; of a part also where a line is no letter.
    """
    with told_of("read", path):
        if os.path.isdir(path):
            parts = _parts(path)
            if not parts:
                raise DeadLetterError("read", path, "it is a folder, and no part of a run is in it")
            yield from _merged(parts, _all)
            return
        with open(path, "rb") as file:
            yield from file


def _parts(folder: str) -> list[str]:
    names = sorted(name for name in os.listdir(folder) if name.endswith(_PART))
    return [os.path.join(folder, name) for name in names]


def _all(worker: str, node: str) -> Records:
    return ((0, inf),)


def _merged(paths: Iterable[str], share: Share) -> Iterator[bytes]:
    """Lines in their order. A worker that took over from another one may have repeated some."""
    last: Place | None = None
    with contextlib.ExitStack() as stack:
        parts = []
        for path in paths:
            worker = name_of(os.path.basename(path).removesuffix(_PART).rpartition(".")[0])
            parts.append(_lines(stack.enter_context(open(path, "rb")), partial(share, worker)))
        for place, line in heapq.merge(*parts, key=itemgetter(0)):
            if place != last:
                yield line
            last = place


def _lines(file: IO[bytes], share: Callable[[str], Records]) -> Iterator[tuple[Place, bytes]]:
    """The letters of records in a node's share, and all of requests: these run once."""
    share_of = cache(share)
    for number, line in enumerate(file, 1):
        if line.endswith(b"\n"):  # else its writer died here, and the batch was run anew
            try:
                place = place_of(line)
            except DeadLetterError as error:
                what = f"{file.name}, line {number}"
                raise DeadLetterError("read", what, error.problem) from None
            sequence, node, _ = place
            if sequence <= 0 or any(after < sequence <= to for after, to in share_of(node)):
                yield place, line

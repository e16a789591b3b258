"""The file of a run's dead letters: parts while it runs, merged into the target when it has ended.

Every segment of every process writes a part of its own, in order, into a folder beside the target;
so there is nothing to wait for. What only a run with dead letters needs is imported by it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator

from sk_kernel._declare.failure import FailureSpec
from sk_kernel._letters.merging import Share, merged, parts_of
from sk_kernel._letters.place import place_of, put_in_place, refuse_others, told_of
from sk_kernel.errors import DeadLetterError, DeadLettersLeftError

_MERGED = "merged"


class DeadLetterFile:
    """The target stays as it is until :meth:`commit`.

    Of a run in which no node has the policy ``dead_letter`` there is no file, and nothing is done.

    :raises DeadLetterError: from every method but :meth:`abort`, when the file system refuses.
    """

    def __init__(self, failure: FailureSpec) -> None:
        self._target = place_of(failure.dead_letters or "") if failure.writes else ""
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
        with told_of("merge", self._folder), open(staged, "wb") as file:
            for line in merged(parts_of(self._folder), share, self._folder):
                file.write(line)
                count += 1
            file.flush()
            os.fsync(file.fileno())
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
            return (self._folder,) if parts_of(self._folder) else ()

    def _left(self) -> str:
        try:
            return "".join(self.partial_outputs())
        except DeadLetterError:  # nobody can look into it now: it is told what it was
            return self._folder

    def _remove(self) -> None:
        import shutil

        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = ""


def letter_lines(path: str) -> Generator[bytes, None, None]:
    """Yield the lines of a file of dead letters, or of a folder of parts, merged in their order.

    :raises DeadLetterError: when it cannot be read; for parts also when a line is no dead letter.
    """
    with told_of("read", path):
        if os.path.isdir(path):
            parts = parts_of(path)
            if not parts:
                raise DeadLetterError("read", path, "it is a folder, and no part of a run is in it")
            yield from merged(parts, None, None)
            return
        with open(path, "rb") as file:
            yield from file

"""The file of a run's dead letters: parts during the run, which are merged when it has ended.

Every segment of every process writes its own part, in order, into a folder beside the target, so
that no process waits for another. Modules that only a run with dead letters needs are imported when
they are used.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator

from sk_kernel._declare.failure import FailureSpec
from sk_kernel._letters.merging import Share, merged
from sk_kernel._letters.parts import parts_of
from sk_kernel._letters.target import as_letter_error, put_in_place, refuse_others, resolved_target
from sk_kernel.errors import DeadLetterError, DeadLettersLeftError

_MERGED = "merged"


class DeadLetterFile:
    """The dead letters of a run, written to parts; the target does not change until :meth:`commit`.

    If no node of the run has the policy ``dead_letter``, there is no file and methods do nothing.

    :raises DeadLetterError: when the target's path is invalid, and from every method except
        :meth:`abort`, when an operation of the file system fails.
    """

    def __init__(self, failure: FailureSpec) -> None:
        self._target = resolved_target(failure.dead_letters or "") if failure.writes else ""
        self._folder = ""
        self._in_place = False

    def open(self) -> str:
        """Create the folder for the parts; return its path, or an empty text if there is none."""
        if self._target:
            from tempfile import mkdtemp

            folder, name = os.path.split(self._target)
            with as_letter_error("open", self._target):
                refuse_others(self._target)
                self._folder = mkdtemp(prefix=f"{name}.", suffix=".parts", dir=folder)
        return self._folder

    def stage(self, share: Share | None = None) -> int:
        """Merge the parts, which must be complete, and return the number of dead letters.

        :param share: which dead letters of each worker belong to the output; None for all of them.
        """
        if not self._folder:
            return 0
        count = 0
        staged = os.path.join(self._folder, _MERGED)
        with as_letter_error("merge", self._folder), open(staged, "wb") as file:
            for line in merged(parts_of(self._folder), share, self._folder):
                file.write(line)
                count += 1
            file.flush()
            os.fsync(file.fileno())
        return count

    def commit(self) -> None:
        """Replace the target by the staged file; dead letters that it held are kept beside it.

        The folder stays: a worker whose dead letters are no longer awaited may still write into it.
        """
        if self._folder:
            put_in_place(self._target, os.path.join(self._folder, _MERGED))
            self._in_place = True

    @contextlib.contextmanager
    def after_output(self, *, committed: bool) -> Iterator[None]:
        """Context manager for work on the dead letters that may come after the output's commit.

        :param committed: whether the output has been committed.
        :raises DeadLettersLeftError: instead of a :class:`DeadLetterError`, if it has.
        """
        try:
            yield
        except DeadLetterError as error:
            if not committed:
                raise
            raise DeadLettersLeftError(error, self._left()) from error.__cause__

    def abort(self) -> None:
        """Remove the folder of parts, unless it holds dead letters that were not committed.

        Call this when nothing writes to the parts any more.
        """
        with contextlib.suppress(DeadLetterError):
            if self._folder and not self.partial_outputs():
                self._remove()

    def partial_outputs(self) -> tuple[str, ...]:
        """Return the folder of parts if it has any part and :meth:`commit` has not succeeded."""
        if not self._folder or self._in_place:
            return ()
        with as_letter_error("look at", self._folder):
            return (self._folder,) if parts_of(self._folder) else ()

    def _left(self) -> str:
        try:
            return "".join(self.partial_outputs())
        except DeadLetterError:  # it cannot be read now: name it all the same
            return self._folder

    def _remove(self) -> None:
        import shutil

        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = ""


def letter_lines(path: str) -> Generator[bytes, None, None]:
    """Yield the lines of a file of dead letters, or of a folder of parts, merged in their order.

    :raises DeadLetterError: when it cannot be read; for parts also when a line is no dead letter.
    """
    with as_letter_error("read", path):
        if os.path.isdir(path):
            parts = parts_of(path)
            if not parts:
                raise DeadLetterError("read", path, "it is a folder, and no part of a run is in it")
            yield from merged(parts, None, None)
            return
        with open(path, "rb") as file:
            yield from file

"""The file of a run's dead letters: parts while it runs, merged into the target when it has ended.

Every segment of every process writes a part of its own, in order, into a folder beside the target;
so there is nothing to wait for, and merging them takes a line of each in memory. What only a run
with dead letters needs is imported by it.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import stat
from collections.abc import Generator, Iterable, Iterator
from operator import itemgetter
from typing import IO

from sk_kernel._declare.failure import FailureSpec
from sk_kernel._letters.keep import file_name, keep_former
from sk_kernel._letters.letters import Place, place_of
from sk_kernel.errors import DeadLetterError, DeadLettersLeftError

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

    def open(self) -> str:
        """Make the folder that parts are written into; its path, or empty where there is none."""
        if self._target:
            from tempfile import mkdtemp

            folder, name = os.path.split(self._target)
            with _wrapped("open", self._target):
                self._refuse_others()
                self._folder = mkdtemp(prefix=f"{name}.", suffix=".parts", dir=folder)
        return self._folder

    def stage(self) -> int:
        """Merge the parts, all of which are complete; the number of letters."""
        if not self._folder:
            return 0
        count = 0
        staged = os.path.join(self._folder, _MERGED)
        with _wrapped("merge", self._folder), open(staged, "wb") as merged:
            for line in _merged(_parts(self._folder)):
                merged.write(line)
                count += 1
            merged.flush()
            os.fsync(merged.fileno())
        return count

    def commit(self) -> None:
        """Put what was staged in place of the target; letters that are there are kept beside it."""
        if self._folder:
            staged = os.path.join(self._folder, _MERGED)
            with _wrapped("put in place", self._target):
                self._refuse_others()  # again: it may have come since
                os.chmod(staged, _mode_of(self._target))
                keep_former(self._target, staged)
                os.replace(staged, self._target)
            _sync_folder(os.path.dirname(self._target))
            self._remove()

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
        """The run has failed, or was cut short: keep the parts, if there are any."""
        with contextlib.suppress(DeadLetterError):
            if self._folder and not self.partial_outputs():
                self._remove()

    def partial_outputs(self) -> tuple[str, ...]:
        """The folder, if there is any letter in it."""
        with _wrapped("look at", self._folder):
            return (self._folder,) if self._folder and _parts(self._folder) else ()

    def _left(self) -> str:
        try:
            return "".join(self.partial_outputs())
        except DeadLetterError:  # nobody can look into it now: it is told what it was
            return self._folder

    def _refuse_others(self) -> None:
        if not may_be_replaced(self._target):
            raise DeadLetterError("replace", self._target, "it is no regular file")

    def _remove(self) -> None:
        import shutil

        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = ""


def may_be_replaced(path: str) -> bool:
    """Whether a file may take the place of what is there: of a regular file, or of nothing."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:  # what cannot be looked at is refused by the system
        return True


def _mode_of(path: str) -> int:
    """Who may read the letters: who may now, and nobody else where there are none yet."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        return 0o600


def _sync_folder(folder: str) -> None:
    """What is in place stays so behind a power failure, where the file system can promise that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def letter_part(folder: str, worker: str, segment: int) -> str:
    """The part of one segment in one worker; empty where there is no folder."""
    return os.path.join(folder, f"{file_name(worker)}.{segment}{_PART}") if folder else ""


def letter_lines(path: str) -> Generator[bytes, None, None]:
    """The lines of a file of dead letters, or, in their order, of a folder of parts.

    :raises DeadLetterError: when it cannot be read; of a part also where a line is no letter.
    """
    with _wrapped("read", path):
        if os.path.isdir(path):
            parts = _parts(path)
            if not parts:
                raise DeadLetterError("read", path, "it is a folder, and no part of a run is in it")
            yield from _merged(parts)
            return
        with open(path, "rb") as file:
            yield from file


def _parts(folder: str) -> list[str]:
    names = sorted(name for name in os.listdir(folder) if name.endswith(_PART))
    return [os.path.join(folder, name) for name in names]


def _merged(paths: Iterable[str]) -> Iterator[bytes]:
    """Lines in their order. A worker that took over from another one may have repeated some."""
    last: Place | None = None
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(open(path, "rb")) for path in paths]
        for place, line in heapq.merge(*map(_lines, files), key=itemgetter(0)):
            if place != last:
                yield line
            last = place


def _lines(file: IO[bytes]) -> Iterator[tuple[Place, bytes]]:
    for number, line in enumerate(file, 1):
        if line.endswith(b"\n"):  # else its writer died here, and the batch was run anew
            try:
                place = place_of(line)
            except DeadLetterError as error:
                what = f"{file.name}, line {number}"
                raise DeadLetterError("read", what, error.problem) from None
            yield place, line


@contextlib.contextmanager
def _wrapped(action: str, path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DeadLetterError(action, path, str(error)) from error

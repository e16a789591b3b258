"""The file of a run's dead letters: parts while it runs, merged into the target when it is done.

Every segment of every process writes a part of its own, in order, into a folder beside the target;
so there is nothing to wait for, and merging them takes a line of each in memory. What only a run
with dead letters needs is imported by it.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import stat
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import IO

from sk_kernel._failure import FailureSpec
from sk_kernel._letters import Place, place_of
from sk_kernel.errors import DeadLetterError

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
        with _wrapped("merge", self._folder), contextlib.ExitStack() as stack:
            files = [stack.enter_context(open(path, "rb")) for path in self._parts()]
            merged = stack.enter_context(open(os.path.join(self._folder, _MERGED), "wb"))
            for line in _merged(files):
                merged.write(line)
                count += 1
            merged.flush()
            os.fsync(merged.fileno())
        return count

    def commit(self) -> None:
        """Put what was staged in place of the target."""
        if self._folder:
            with _wrapped("put in place", self._target):
                self._refuse_others()  # again: it may have come since
                os.replace(os.path.join(self._folder, _MERGED), self._target)
            self._remove()

    def abort(self) -> None:
        """The run was not completed: keep the parts, if there are any."""
        with contextlib.suppress(DeadLetterError):
            if self._folder and not self.partial_outputs():
                self._remove()

    def partial_outputs(self) -> tuple[str, ...]:
        """The folder, if there is any letter in it."""
        with _wrapped("look at", self._folder):
            return (self._folder,) if self._folder and self._parts() else ()

    def _refuse_others(self) -> None:
        if not may_be_replaced(self._target):
            raise DeadLetterError("replace", self._target, "it is no regular file")

    def _parts(self) -> list[str]:
        names = sorted(name for name in os.listdir(self._folder) if name.endswith(_PART))
        return [os.path.join(self._folder, name) for name in names]

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


def letter_part(folder: str, worker: str, segment: int) -> str:
    """The part of one segment in one worker; empty where there is no folder."""
    return os.path.join(folder, f"{file_name(worker)}.{segment}{_PART}") if folder else ""


def file_name(name: str) -> str:
    """A name of any characters as the beginning of a file's: it leads into no other folder."""
    return name.replace("%", "%25").replace("/", "%2F")


def _merged(files: Iterable[IO[bytes]]) -> Iterator[bytes]:
    """Lines in their order. A worker that took over from another one may have repeated some."""
    last: Place | None = None
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

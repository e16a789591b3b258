"""A file of letters that is written beside its place, and takes it when it is whole."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import IO

from sk_kernel._letters.place import place_of, put_in_place, refuse_others, told_of
from sk_kernel.errors import DeadLetterError, DeadLettersLeftError


class StagedLetters:
    """Letters, in the order in which they are added; ``count`` of them.

    :raises DeadLetterError: from every method, when the file system refuses.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count = 0

    def add(self, line: bytes) -> None:
        """Add the line of a letter."""
        with told_of("write", self._file.name):
            self._file.write(line if line.endswith(b"\n") else line + b"\n")
        self.count += 1

    def stage(self) -> None:
        """All letters are in it: write them through."""
        with told_of("write", self._file.name):
            self._file.flush()
            os.fsync(self._file.fileno())


@contextlib.contextmanager
def staged_letters(path: str, *, behind_output: bool) -> Iterator[StagedLetters]:
    """A file for letters that takes the place ``path`` behind the block, which has staged them.

    Behind a block that fails it is gone, and the place is as it was. Letters that were there are
    kept beside it; of a link the file that it leads to is replaced.

    :param behind_output: whether the block commits an output, which cannot be taken back then.
    :raises DeadLetterError: when the file system refuses.
    :raises DeadLettersLeftError: when it does so behind an output; the letters are kept.
    """
    from tempfile import NamedTemporaryFile

    target = place_of(path)
    folder, name = os.path.split(target)
    with told_of("open", target):
        refuse_others(target)
        file = NamedTemporaryFile(  # noqa: SIM115 - it is closed below, whatever is said of that
            dir=folder, prefix=f"{name}.", suffix=".part", delete=False
        )
    try:
        yield StagedLetters(file)
        try:
            put_in_place(target, file.name)
        except DeadLetterError as error:
            if behind_output:
                raise DeadLettersLeftError(error, file.name) from error.__cause__
            raise
    except DeadLettersLeftError:
        raise
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(file.name)
        raise
    finally:
        with contextlib.suppress(OSError):  # what is not staged is not wanted
            file.close()

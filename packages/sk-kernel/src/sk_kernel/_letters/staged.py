"""A file of dead letters that is written beside its target, and replaces it when complete."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import IO

from sk_kernel._letters.target import as_letter_error, put_in_place, refuse_others, resolved_target
from sk_kernel.errors import DeadLetterError, DeadLettersLeftError


class StagedLetters:
    """Collects dead letters in the order in which they are added; ``count`` is their number.

    :raises DeadLetterError: from every method, when an operation of the file system fails.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count = 0

    def add(self, line: bytes) -> None:
        """Add the line of a dead letter."""
        with as_letter_error("write", self._file.name):
            self._file.write(line if line.endswith(b"\n") else line + b"\n")
        self.count += 1

    def stage(self) -> None:
        """Flush all dead letters to the disk; call this when the last one has been added."""
        with as_letter_error("write", self._file.name):
            self._file.flush()
            os.fsync(self._file.fileno())


@contextlib.contextmanager
def staged_letters(path: str, *, after_output: bool) -> Iterator[StagedLetters]:
    """Context manager for a file of dead letters that replaces ``path`` after the block.

    The block adds the dead letters and calls :meth:`StagedLetters.stage`. If it raises, the new
    file is removed and ``path`` is unchanged. Dead letters that were at ``path`` are kept beside
    it. If ``path`` is a link, the file that it leads to is replaced.

    :param after_output: whether the block commits an output, which cannot be undone afterwards.
    :raises DeadLetterError: when an operation of the file system fails.
    :raises DeadLettersLeftError: when one fails after the output's commit; the new file is kept.
    """
    from tempfile import NamedTemporaryFile

    target = resolved_target(path)
    folder, name = os.path.split(target)
    with as_letter_error("open", target):
        refuse_others(target)
        file = NamedTemporaryFile(  # noqa: SIM115 - it is closed below
            dir=folder, prefix=f"{name}.", suffix=".part", delete=False
        )
    try:
        yield StagedLetters(file)
        try:
            put_in_place(target, file.name)
        except DeadLetterError as error:
            if after_output:
                raise DeadLettersLeftError(error, file.name) from error.__cause__
            raise
    except DeadLettersLeftError:
        raise
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(file.name)
        raise
    finally:
        with contextlib.suppress(OSError):  # data that was not staged is not needed
            file.close()

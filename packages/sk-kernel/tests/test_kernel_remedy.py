"""What the system has no more of: which limit to raise is said with it."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from sk_kernel import DeadLetterError, NodeFailure
from sk_kernel._letters.file import letter_lines
from sk_kernel.runtime import (
    Correlation,
    Identity,
    Loss,
    Losses,
    TraceIds,
    remedy_of,
    with_remedy,
)


class Number(msgspec.Struct):
    n: int


@contextmanager
def nothing_may_be_opened() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("number", "limit"),
    [(errno.EMFILE, "ulimit -n"), (errno.ENFILE, "fs.file-max"), (errno.EAGAIN, "TasksMax=")],
)
def test_the_limit_is_named_once_behind_what_the_system_said(number: int, limit: str) -> None:
    said = with_remedy(OSError(number, os.strerror(number)))
    assert said.startswith(f"[Errno {number}] {os.strerror(number)}: ")
    assert said.count(limit) == 1
    assert with_remedy(OSError(number, said)).count(limit) == 1


def test_of_what_no_limit_is_behind_nothing_is_added() -> None:
    error = OSError(errno.EACCES, "Permission denied")
    assert (remedy_of(error), with_remedy(error)) == ("", "[Errno 13] Permission denied")


def test_dead_letters_that_cannot_be_opened_for_want_of_descriptors_say_so(tmp_path: Path) -> None:
    letters = tmp_path / "dead.jsonl"
    letters.write_text("")
    refused = pytest.raises(DeadLetterError, match=r"Too many open files.* \(ulimit -n; ")
    with nothing_may_be_opened(), refused:
        list(letter_lines(str(letters)))


def test_a_dead_letter_that_cannot_be_written_for_want_of_descriptors_says_so(
    tmp_path: Path,
) -> None:
    """And the path is in the message once."""
    part = str(tmp_path / "work.0.part")
    losses = Losses(Identity("r1", "any", "work", TraceIds("r1", 1.0)), part)
    failure = NodeFailure("dead_letter")
    losses.take(Loss("work", failure, "ValueError", (1,), Number(1), Correlation(), ValueError()))
    refused = pytest.raises(DeadLetterError, match=r"Too many open files: .* \(ulimit -n; ")
    with nothing_may_be_opened(), refused as caught:
        losses.flush()
    assert str(caught.value).count(part) == 1

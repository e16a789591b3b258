"""An error that was raised in a pool's process is the same error where its result is asked for."""

from __future__ import annotations

import copy
import pickle

import pytest
from sk_kernel import AdapterFailedError, KernelError, NodeFailedError, RecordTooLargeError


class AppError(KernelError, OSError):
    """As others derive from it: beside one of the system's, with arguments of its own."""

    def __init__(self, path: str, *, line: int) -> None:
        self.path, self.line = path, line
        super().__init__(f"{path} is wrong in line {line}")


@pytest.mark.parametrize(
    "error",
    [
        NodeFailedError("parse", "ValueError", 7),
        AdapterFailedError("sink:sink", "write", "OSError", "disk full"),
        AdapterFailedError("source:source", "read", "OSError", "lost", 7),
        RecordTooLargeError("parse", 7, 300, 200),
        AppError("a.csv", line=3),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_pickles_and_copies_with_its_words_fields_and_notes(error: KernelError) -> None:
    error.add_note("and then: something else")
    pickled = pickle.dumps(error)
    for again in (pickle.loads(pickled), copy.copy(error)):  # noqa: S301 - our own
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)

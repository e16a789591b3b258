"""Errors of commands that inspect a run or the files that it has written; public in ``errors``."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath

from sk_supervisor._base_error import EXIT_OPERATION, SupervisorError


class OperationError(SupervisorError):
    """A command that inspects a run, or the files that it has written, could not do its task."""

    exit_code = EXIT_OPERATION


class NoSuchRunError(OperationError):
    """This user has no active run with that name; or, without a name, no active run at all."""

    def __init__(self, wanted: str | None, folders: Iterable[PathLike[str]]) -> None:
        self.wanted, self.folders = wanted, tuple(map(fspath, folders))
        problem = f"matches {wanted!r}" if wanted else "is active"
        where = ", ".join(self.folders) or "there is no run directory"
        super().__init__(
            f"no run of this user {problem} (searched: {where})."
            " If the run uses another directory, set SK_RUN_DIR or --run-dir"
        )


class SeveralRunsError(OperationError):
    """More than one active run matches."""

    def __init__(self, run_ids: Iterable[str]) -> None:
        self.run_ids = tuple(run_ids)
        super().__init__(f"several runs, name one: {', '.join(self.run_ids)}")


class RunGoneError(OperationError):
    """The run ended before it answered."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(f"run {run_id} has ended")


class RunSilentError(OperationError):
    """The run did not answer in time: it is suspended, or still stopping."""

    def __init__(self, run_id: str, seconds: float) -> None:
        self.run_id, self.seconds = run_id, seconds
        super().__init__(f"run {run_id} has not answered within {seconds:g} s")


class AdminRefusedError(OperationError):
    """The run rejected a request; ``category`` is the reason that it sent."""

    def __init__(self, category: str, message: str) -> None:
        self.category, self.message = category, message
        super().__init__(f"the run refused ({category}): {message}")


class AdminAnswerError(OperationError):
    """The answer of the run cannot be decoded."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"the run's answer is not understood: {problem}")


class StatusVersionError(OperationError):
    """The run uses a version of the status format that this ``sk`` does not know."""

    def __init__(self, version: int, known: int) -> None:
        self.version, self.known = version, known
        told = f"the run speaks version {version}, and this sk knows version {known}"
        super().__init__(f"{told}: use the sk that it was started with")


class RecordedFileError(OperationError):
    """A file that a run wrote, or a page about it, cannot be read or written."""

    def __init__(self, path: str, action: str, problem: str) -> None:
        self.path, self.action, self.problem = path, action, problem
        super().__init__(f"cannot {action} {path}: {problem}")


class ProfileError(OperationError):
    """A profile of a run cannot be written or read. The run itself is not affected."""

    def __init__(self, action: str, problem: str) -> None:
        self.action, self.problem = action, problem
        super().__init__(f"cannot {action} a profile: {problem}")


class NotRecordedError(OperationError):
    """The files do not contain the trace, or the events of a run, that a command looked for.

    ``notes`` names the lines that could not be read.
    """

    def __init__(self, what: str, paths: Iterable[str], notes: Iterable[str] = ()) -> None:
        self.what, self.paths, self.notes = what, tuple(paths), tuple(notes)
        said = f"there is no {what} in {', '.join(self.paths)}"
        super().__init__("\n  ".join([said, *self.notes]))


class SeveralTracesError(OperationError):
    """More than one trace matches; ``trace_ids`` has some of them."""

    def __init__(self, trace_ids: Iterable[str]) -> None:
        self.trace_ids = tuple(trace_ids)
        super().__init__(f"several traces, name one by --trace: {', '.join(self.trace_ids)}")

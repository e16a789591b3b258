"""What the commands raise that look at a run, or at what one has written: public in ``errors``."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath

from sk_supervisor._base_error import EXIT_OPERATION, SupervisorError


class OperationError(SupervisorError):
    """A command that looks at a run, or at what one has written, could not do what it was asked."""

    exit_code = EXIT_OPERATION


class NoSuchRunError(OperationError):
    """No run of this user's goes by that name; without a name, there is none at all."""

    def __init__(self, wanted: str | None, folders: Iterable[PathLike[str]]) -> None:
        self.wanted, self.folders = wanted, tuple(map(fspath, folders))
        problem = f"matches {wanted!r}" if wanted else "is active"
        where = ", ".join(self.folders) or "there is no run directory"
        super().__init__(
            f"no run of this user {problem} (searched: {where})."
            " If the run uses another directory, set SK_RUN_DIR or --run-dir"
        )


class SeveralRunsError(OperationError):
    """More than one run could be meant."""

    def __init__(self, run_ids: Iterable[str]) -> None:
        self.run_ids = tuple(run_ids)
        super().__init__(f"several runs, name one: {', '.join(self.run_ids)}")


class RunGoneError(OperationError):
    """A run ended before it had answered."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(f"run {run_id} has ended")


class RunSilentError(OperationError):
    """A run did not answer in time: it is suspended, or still stopping."""

    def __init__(self, run_id: str, seconds: float) -> None:
        self.run_id, self.seconds = run_id, seconds
        super().__init__(f"run {run_id} has not answered within {seconds:g} s")


class AdminRefusedError(OperationError):
    """A run refused a request; ``category`` is its word for why."""

    def __init__(self, category: str, message: str) -> None:
        self.category, self.message = category, message
        super().__init__(f"the run refused ({category}): {message}")


class AdminAnswerError(OperationError):
    """What a run answered makes no sense."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"the run's answer is not understood: {problem}")


class StatusVersionError(OperationError):
    """A run speaks a version that this ``sk`` does not know."""

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
    """What a profiled run has measured cannot be written or read. The run itself is as it was."""

    def __init__(self, action: str, problem: str) -> None:
        self.action, self.problem = action, problem
        super().__init__(f"cannot {action} a profile: {problem}")


class NotRecordedError(OperationError):
    """Files do not hold what was looked for: a trace, or the events of a run.

    ``notes`` say of lines that could not be read.
    """

    def __init__(self, what: str, paths: Iterable[str], notes: Iterable[str] = ()) -> None:
        self.what, self.paths, self.notes = what, tuple(paths), tuple(notes)
        said = f"there is no {what} in {', '.join(self.paths)}"
        super().__init__("\n  ".join([said, *self.notes]))


class SeveralTracesError(OperationError):
    """More than one trace could be meant; ``trace_ids`` has some of them."""

    def __init__(self, trace_ids: Iterable[str]) -> None:
        self.trace_ids = tuple(trace_ids)
        super().__init__(f"several traces, name one by --trace: {', '.join(self.trace_ids)}")

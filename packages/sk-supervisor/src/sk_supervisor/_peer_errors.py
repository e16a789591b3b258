"""Errors in the frames that a worker sends to another process; public in ``errors``."""

from __future__ import annotations

from sk_supervisor._base_error import SupervisorError


class HeaderError(SupervisorError):
    """The header of a frame does not fit its kind, or is of another run. The sender is at fault."""

    def __init__(self, kind: str, problem: str = "cannot be read") -> None:
        self.kind, self.problem = kind, problem
        super().__init__(f"the header of a {kind} frame {problem}")


class RelayRefusedError(SupervisorError):
    """A worker sent a frame that it may not send. The worker is at fault."""

    def __init__(self, sender: str, problem: str) -> None:
        self.sender, self.problem = sender, problem
        super().__init__(f"frame from {sender}: {problem}")


class AlignmentError(SupervisorError):
    """A part of a batch came from a segment that is not upstream, or does not fit at this point.

    ``upstream`` is the segment that sent it, and the index of the worker.
    """

    def __init__(self, epoch: int, upstream: tuple[int, int], problem: str) -> None:
        self.epoch, self.upstream, self.problem = epoch, upstream, problem
        segment, worker = upstream
        super().__init__(f"batch {epoch} from segment {segment}, worker {worker}: {problem}")

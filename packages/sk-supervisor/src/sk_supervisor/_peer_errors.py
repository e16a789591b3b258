"""What is wrong with what a worker has sent to another process: public in ``errors``."""

from __future__ import annotations

from sk_supervisor._base_error import SupervisorError


class HeaderError(SupervisorError):
    """A frame's header is not what its kind says, or is another run's. Its sender is at fault."""

    def __init__(self, kind: str, problem: str = "cannot be read") -> None:
        self.kind, self.problem = kind, problem
        super().__init__(f"the header of a {kind} frame {problem}")


class RelayRefusedError(SupervisorError):
    """A worker sent what is not its to send. The worker is at fault."""

    def __init__(self, sender: str, problem: str) -> None:
        self.sender, self.problem = sender, problem
        super().__init__(f"frame from {sender}: {problem}")


class AlignmentError(SupervisorError):
    """A part came from a segment that is not upstream, or where it cannot belong.

    ``upstream`` is the segment and the index of the worker that it came from.
    """

    def __init__(self, epoch: int, upstream: tuple[int, int], problem: str) -> None:
        self.epoch, self.upstream, self.problem = epoch, upstream, problem
        segment, worker = upstream
        super().__init__(f"batch {epoch} from segment {segment}, worker {worker}: {problem}")

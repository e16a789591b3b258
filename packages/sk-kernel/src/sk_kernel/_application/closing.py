"""What is said of a ``close`` that fails, behind the work."""

from __future__ import annotations

from sk_kernel._application.whereabouts import line_of


def warn_of_close(owner: str, error: BaseException) -> None:
    """Warn that the ``close`` of a service or a sink has raised: the work is done by then."""
    from logging import getLogger  # here: seldom, and it takes a worker some milliseconds

    raised = f"{type(error).__name__}: {error}{line_of(error)}"
    getLogger("sk_kernel").warning("%s: its close() raised %s", owner, raised)

"""A run that measures itself, and prints at its end where the time went."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TextIO, runtime_checkable

from sk_kernel import BootstrapSupervisor, LifecycleEvent

from sk_supervisor._profile.measures import read_profiles
from sk_supervisor._profile.start_steps import Start, start_of, started_ns
from sk_supervisor._profile.table import as_text
from sk_supervisor._run.execute import run_with
from sk_supervisor._system.last_code import LastCode
from sk_supervisor._system.streams import tolerant
from sk_supervisor.errors import ProfileError

if TYPE_CHECKING:
    from sk_config import Config


@runtime_checkable
class Profiled(Protocol):
    """A supervisor that can measure its run; both built-in ones can."""

    def profile_into(self, folder: str, on_failure: Callable[[ProfileError], object]) -> None:
        """Have the measurements written to a folder. Call it before anything is started.

        A failure to write does not affect the run: ``on_failure`` is called with the error.
        """


class _Seen:
    """The supervisor of the run, and the measurements outside of its work."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.failures: list[ProfileError] = []
        self._supervisor: BootstrapSupervisor | None = None
        self.configured_ns = time.time_ns()

    def made(self, supervisor: BootstrapSupervisor) -> None:
        self._supervisor = supervisor
        if isinstance(supervisor, Profiled):
            supervisor.profile_into(self._folder, self.failures.append)

    def events(self) -> Sequence[LifecycleEvent]:
        return self._supervisor.lifecycle_events() if self._supervisor else ()


def run_profiled(
    config: Config, *, run_id: str | None = None, quiet: bool = False, stderr: TextIO | None = None
) -> int:
    """Run as `sk_supervisor.run` does, measure every part, and print a profile on ``stderr``.

    The profile of a failed run has what was measured until then. The exit code is that of the run:
    a measurement that cannot be printed is named on ``stderr`` and does not affect the run.
    """
    return profile_with(config, run_id=run_id, quiet=quiet, stderr=stderr)


def profile_with(
    config: Config,
    *,
    run_id: str | None,
    quiet: bool,
    stderr: TextIO | None = None,
    last: LastCode | None = None,
) -> int:
    """Do what :func:`run_profiled` does, for the command; see :func:`run_with`."""
    stream = tolerant(stderr or sys.stderr)
    with tempfile.TemporaryDirectory(prefix="sk-profile-", ignore_cleanup_errors=True) as folder:
        seen = _Seen(folder)
        code = run_with(
            config, run_id=run_id, quiet=quiet, stderr=stream, last=last, on_made=seen.made
        )
        try:
            profiles = read_profiles(folder)
        except ProfileError as error:
            profiles = []
            seen.failures.append(error)
    for failure in seen.failures:
        print(f"error: {failure}", file=stream)
    if not profiles:
        print("error: nothing was measured", file=stream)
        return code
    start: Start = start_of(started_ns(), seen.configured_ns, seen.events())
    print(as_text(profiles, start), file=stream)
    return code

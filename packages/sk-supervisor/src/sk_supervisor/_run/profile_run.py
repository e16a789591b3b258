"""A run that measures itself, and tells at its end where the time went."""

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
    """A supervisor that can have its run measured: both that are built in."""

    def profile_into(self, folder: str, on_failure: Callable[[ProfileError], object]) -> None:
        """Before anything is started: have what is measured written to a folder.

        The run is none the worse where that fails: ``on_failure`` hears of it.
        """


class _Seen:
    """The supervisor of the run, and what it has used outside of its work."""

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
    """`sk_supervisor.run`, with every part of it measured; tells of it on ``stderr``.

    What was measured of a run that failed is told as far as it goes. The exit code is the run's:
    what cannot be told of is named on ``stderr``, and makes the run none the worse.
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
    """:func:`run_profiled`, for the command: see :func:`run_with`."""
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

"""A run in the memory profile with the kernel only, for installations without sk-supervisor."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, TextIO

from msgspec import convert
from sk_config import Config, application_data
from sk_kernel import (
    ApplicationSpec,
    DefinitionError,
    DiscoveryError,
    KernelError,
    PreflightError,
    RunReport,
)
from sk_kernel.runtime import ApplicationContext, BatchLimits, MemoryRun

from sk_fundload.adapters import STANDARD, is_same_output
from sk_fundload.errors import EXIT_READER_GONE, BrokenOutputError, MissingExtraError

_DONE: Final = 0
_REFUSED: Final = 2
_FAILED: Final = 4
_FORCED: Final = 5
_STOPPED: Final = 128
_EXTRA: Final = "multiprocess"
_HANDLED: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def run_alone(config: Config, *, run_id: str | None, quiet: bool, stderr: TextIO) -> int:
    """Run a memory-profile configuration and return the documented exit code.

    The first SIGHUP, SIGINT or SIGTERM ends the input and drains the run; a second one ends it.

    :raises MissingExtraError: if the configuration uses a feature that needs sk-supervisor.
    """
    _refuse_extras(config)
    try:
        application = ApplicationContext(convert(application_data(config), ApplicationSpec))
        application.run_checks()
    except (PreflightError, DefinitionError, DiscoveryError) as error:
        first, *more = str(error).splitlines()
        heading = "the configuration cannot run:" if more else first
        _say(stderr, f"error: {heading}", *([first, *more] if more else []))
        return _REFUSED
    batch = config.runtime.platform.batch
    limits = BatchLimits(batch.max_records, batch.max_bytes, batch.in_flight)
    run: MemoryRun | None = None
    came: list[int] = []
    try:
        run = MemoryRun(application, run_id or secrets.token_hex(8), limits=limits)
        with _stopped_by_signals(run, came):
            report = run.run()
    except (KernelError, _ForcedStop) as error:
        partial = run.partial_outputs() if run else ()
        code, said = _end_by(error, len(came))
        if not (quiet and code == EXIT_READER_GONE):
            _say(stderr, said, *(f"partial output: {path}" for path in partial))
        return code
    if not quiet:
        _say(stderr, *_summary(report))
    return _STOPPED + came[0] if report.outcome == "stopped" and came else _DONE


def _refuse_extras(config: Config) -> None:
    """Reject settings that affect a run in memory but have no effect without sk-supervisor."""
    platform, observability = config.runtime.platform, config.runtime.observability
    asked = {
        "the multiprocess profile": platform.bootstrap.mode != "inline",
        "runtime.platform.health": platform.health.enabled,
        "runtime.platform.admin.enabled": platform.admin.enabled is True,
        "runtime.observability.tracing.exporters": bool(observability.tracing.exporters),
        "runtime.observability.logging.exporters": bool(observability.logging.exporters),
        "runtime.observability.metrics.exporters": bool(observability.metrics.exporters),
    }
    wanted = [what for what, is_asked in asked.items() if is_asked]
    if wanted:
        raise MissingExtraError(", ".join(wanted), _EXTRA)


def _end_by(error: BaseException, signals: int) -> tuple[int, str]:
    """Return the exit code and the message of a run that ended early, after `signals` signals."""
    if signals > 1:  # the kernel's error for it depends on the interrupted code
        return _FORCED, "error: stopped at once by a second signal"
    cause = error.__cause__
    if isinstance(cause, BrokenOutputError) and is_same_output(cause.path, STANDARD):
        return EXIT_READER_GONE, "ended: the reader of standard output has gone"
    return _FAILED, f"error: {error}"


class _ForcedStop(KeyboardInterrupt):
    """A second signal. A KeyboardInterrupt, so that failure policies do not apply to it."""


@contextmanager
def _stopped_by_signals(run: MemoryRun, came: list[int]) -> Iterator[None]:
    """Let signals stop the run, except ignored ones (nohup); append their numbers to ``came``."""

    def handle(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            raise _ForcedStop
        run.stop()

    heeded = [number for number in _HANDLED if signal.getsignal(number) is not signal.SIG_IGN]
    old = {number: signal.signal(number, handle) for number in heeded}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _summary(report: RunReport) -> list[str]:
    rate = report.records_in / max(report.seconds, time.get_clock_info("monotonic").resolution)
    counters = ", ".join(f"{name} {count:,}" for name, count in report.counters.items())
    return [
        f"{report.outcome}: {report.records_in:,} records, {report.seconds:.2f} s, {rate:,.0f}/s",
        counters,
        *_given_up(report),
        *(f"partial output: {path}" for path in report.partial_outputs),
    ]


def _given_up(report: RunReport) -> list[str]:
    if not (report.dead_lettered or report.skipped):
        return []
    return [f"given up: dead-lettered {report.dead_lettered:,}, skipped {report.skipped:,}"]


def _say(stderr: TextIO, first: str, *more: str) -> None:
    stderr.write("\n".join([first, *(f"  {line}" for line in more)]) + "\n")

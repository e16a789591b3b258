"""A run's status as text: lines and table cells, as narrow as possible. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sk_kernel import GroupStatus, RunStatus, WorkerStatus

from sk_supervisor._show.looks import StatusLook

_NUMBERS = ("in", "out", "busy", "queue", "idle", "age", "rss", "restarts")
COLUMNS = ("worker", "pid", "state", *_NUMBERS)
_NOTHING = "-"


def is_number(column: str) -> bool:
    """Whether a column is aligned to the right."""
    return column == "pid" or column in _NUMBERS


def headline(look: StatusLook) -> str:
    """The run's id and scenario, its state, and its progress, in two lines."""
    status, rate = look.status, look.rate
    parts = [f"{status.state}, {'ready' if status.ready else 'not ready'}", age(status.age_seconds)]
    parts += [f"in {status.records_in:,}", f"out {status.records_out:,}"]
    parts += [] if rate is None else [f"{rate:,.0f}/s"]
    return f"run {shown(status.run_id)}: {shown(status.scenario)} ({status.profile})\n" + "  ".join(
        parts
    )


def notes(status: RunStatus) -> Iterator[str]:
    """A line for each thing out of the ordinary, such as a failure or a requested stop."""
    if status.stop_reasons:
        force = " (by force)" if status.stop_forced else ""
        yield f"stop requested: {', '.join(map(shown, status.stop_reasons))}{force}"
    for worker in status.workers():
        if worker.category:
            ended = f", {worker.ended}" if worker.ended else ""
            yield f"{shown(worker.worker_id)} failed ({shown(worker.category)}){ended}"
        elif worker.last_failure:
            yield f"{shown(worker.worker_id)} is a restart: {shown(worker.last_failure)}"
        if worker.stuck and not worker.category:
            yield f"{shown(worker.worker_id)} is stuck, with {worker.waiting:,} batches waiting"
    yield from filter(None, map(_given_up, status.groups))
    counts = {**status.requests.outcomes(), "in flight": status.requests.in_flight}
    if requests := _counted(counts):
        yield f"requests: {requests}"
    if refused := _counted(dict(sorted(status.refusals.items()))):
        yield f"refused: {refused}"


def rows(look: StatusLook) -> Iterator[tuple[str, ...]]:
    """The cells of each worker's row, in the order of :data:`COLUMNS`."""
    for worker in look.status.workers():
        yield _cells(worker, look.busy.get(worker.worker_id))


def age(seconds: float | None) -> str:
    """A duration in at most four characters, if below a thousand days."""
    if seconds is None:
        return _NOTHING
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    for unit, name, limit in ((1, "s", 100), (60, "m", 100), (3600, "h", 48)):
        if seconds / unit < limit:
            return f"{int(seconds / unit)}{name}"
    return f"{int(seconds / 86_400)}d"


def count(number: int) -> str:
    """A number in at most seven characters: exact below a million, three digits above."""
    if number < 1_000_000:
        return f"{number:,}"
    return _scaled(number, 1000, "MGTPE", first=2)


def size(number: int | None) -> str:
    """A number of bytes in at most six characters, by powers of 1024."""
    if number is None:
        return _NOTHING
    return f"{number} B" if number < 1024 else _scaled(number, 1024, "KMGTPE", first=1)


def shown(text: str) -> str:
    """``text`` with unprintable characters, which could move a terminal's cursor, replaced."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _given_up(group: GroupStatus) -> str:
    """The line for the dead letters and skipped records of a group; empty if there are none."""
    totals = [worker.totals for worker in group.workers]
    sums = {
        "dead-lettered": sum(done.dead_lettered for done in totals),
        "skipped": sum(done.skipped for done in totals),
    }
    counted = _counted(sums)
    return f"{shown(group.name)} gave up records: {counted}" if counted else ""


def _counted(numbers: Mapping[str, int]) -> str:
    """The numbers other than 0, with their names."""
    return ", ".join(f"{shown(name)} {number:,}" for name, number in numbers.items() if number)


def _cells(worker: WorkerStatus, busy: float | None) -> tuple[str, ...]:
    return (
        shown(worker.worker_id),
        _NOTHING if worker.os_pid is None else str(worker.os_pid),
        shown(worker.state),
        count(worker.records_in),
        count(worker.records_out),
        _NOTHING if busy is None else f"{busy:.0%}",
        count(worker.waiting),
        age(worker.progress_age_seconds),
        age(worker.age_seconds),
        size(worker.rss_bytes),
        str(worker.incarnation - 1),
    )


def _scaled(number: int, base: int, units: str, *, first: int) -> str:
    power = first
    while number >= 999.5 * base**power and power - first < len(units) - 1:
        power += 1
    value = number / base**power
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}{units[power - first]}"

"""The measurements of a profiled run as text. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sk_supervisor._profile.measures import WAIT, ProcessProfile
from sk_supervisor._profile.shares import cpu_by_kind
from sk_supervisor._profile.start_steps import Start

_NAME = 34
_NUMBER = 12
#: From this many microseconds on, no decimals are shown.
_MANY = 100
#: Threads with fewer microseconds per record are counted under "everything else".
_LEAST = 0.001
#: The mark for the start of a process, which may be before a worker was assigned to it.
_SPAWNED = "spawned"
#: The steps of a worker's start: each mark, and what is done until it.
_STEPS = (
    ("interpreter", "spawn: until the interpreter runs"),
    ("imported", "imports"),
    ("called", "until the supervisor says which worker it is"),
    ("connected", "connect: control session"),
    ("told", "bundle"),
    ("ready", "bootstrap: discovery, nodes, data link"),
)


def as_text(profiles: Sequence[ProcessProfile], start: Start) -> str:
    """Format the time per record, process by process, and the steps of the run's start."""
    lines = [
        "where a record's time goes: microseconds for each record that was read",
        f"  {'':{_NAME}}{'cpu':>{_NUMBER}}{'blocked':>{_NUMBER}}{'calls':>{_NUMBER}}",
    ]
    order = list(start.spawned)
    profiles = sorted(
        profiles, key=lambda p: order.index(p.worker_id) if p.worker_id in order else len(order)
    )
    lines += _of_all(profiles)
    for profile in profiles:
        lines += _of_process(profile)
    lines += ["how the run came up: milliseconds", *_of_start(profiles, start)]
    return "\n".join(lines)


def _of_all(profiles: Sequence[ProcessProfile]) -> Iterator[str]:
    records = max((profile.records for profile in profiles), default=0)
    scale = 1e6 / records if records else 0.0
    kinds = cpu_by_kind(profiles)
    whole = sum(kinds.values())
    yield "all processes"
    for kind, seconds in kinds.items():
        yield _row(kind, _number(seconds * scale), _share(seconds, whole))
    yield _row("in all", _number(whole * scale))


def _of_process(profile: ProcessProfile) -> Iterator[str]:
    scale = 1e6 / profile.records if profile.records else 0.0
    known = sum(stage.cpu_seconds for stage in profile.stages)
    waits = [stage.wait_seconds for stage in profile.stages if stage.name == WAIT]
    waiting = f", without work {_share(sum(waits), profile.seconds)}" if waits else ""
    shared = profile.own is not None and profile.own < profile.records
    own = f"{profile.own:,} of " if shared else ""
    yield (
        f"{profile.worker_id}: {own}{profile.records:,} records in {profile.seconds:.2f} s,"
        f" processor {_share(profile.cpu_seconds, profile.seconds)}{waiting}"
    )
    for stage in profile.stages:
        if stage.calls:
            cpu, wait = stage.cpu_seconds * scale, stage.wait_seconds * scale
            yield _row(stage.name, _number(cpu), _number(wait), f"{stage.calls:,}")
    for name, cpu_seconds in profile.threads.items():
        if cpu_seconds * scale >= _LEAST:
            known += cpu_seconds
            yield _row(f"thread {name}", _number(cpu_seconds * scale))
    other = max(profile.cpu_seconds - known, 0.0)
    yield _row("everything else", _number(other * scale))
    yield _row("in all", _number(profile.cpu_seconds * scale))


def _row(name: str, *cells: str) -> str:
    return f"  {name:{_NAME}}{''.join(f'{cell:>{_NUMBER}}' for cell in cells)}"


def _number(microseconds: float) -> str:
    return f"{microseconds:.3f}" if microseconds < _MANY else f"{microseconds:,.0f}"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole > 0 else "-"


def _of_start(profiles: Sequence[ProcessProfile], start: Start) -> Iterator[str]:
    yield _step("interpreter, imports, configuration", start.began, start.configured)
    spawned = {
        **start.spawned,
        **{p.worker_id: p.marks[_SPAWNED] for p in profiles if _SPAWNED in p.marks},
    }
    first = min(spawned.values(), default=0)
    yield _step("preflight, until the first worker is spawned", start.configured, first)
    for profile in profiles:
        if profile.marks.keys() >= {name for name, _ in _STEPS}:
            yield f"  {profile.worker_id}"
            at = spawned.get(profile.worker_id, 0)
            for name, title in _STEPS:
                yield "  " + _step(title, at, profile.marks[name])
                at = profile.marks[name]
    last = max(start.ready.values(), default=0)
    yield _step("from the first spawn until all are ready", first, last)
    yield _step("time to gate, from the start of the process", start.began, start.gate)
    # Not every source decodes, and the first read ends when there is a record.
    read = [s.through_ns for p in profiles for s in p.stages if s.name == "source read" and s.calls]
    written = [s.first_ns for p in profiles for s in p.stages if s.name == "sink write" and s.calls]
    yield _step("gate to the first record read", start.gate, min(read, default=0))
    yield _step("gate to the first record written", start.gate, min(written, default=0))


def _step(title: str, begin: int, end: int) -> str:
    took = f"{(end - begin) / 1e6:8.1f}" if begin and end else f"{'-':>8}"
    return f"  {title:58}{took}"

"""The commands that look at runs and stop them: ``sk status``, ``top``, ``stop``, ``events``."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from sk_supervisor.errors import (
    EXIT_OPERATION,
    EXIT_STOP_TIMEOUT,
    RunGoneError,
    RunSilentError,
    SeveralRunsError,
    SupervisorError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sk_kernel import RunStatus

    from sk_supervisor._operate.entries import Entry

F = TypeVar("F", bound=Callable[..., Any])

_FORCE: Final = "Stop at once, without processing the records already read."
_RUN_DIR: Final = (
    "Directory with the socket of the run (default: $SK_RUN_DIR, else your user's run directory)."
)


def _of_a_run(command: F) -> F:
    command = click.option("--run-dir", metavar="PATH", help=_RUN_DIR)(command)
    return click.argument("run", required=False)(command)


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except SupervisorError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_OPERATION)


def _found(run_dir: str | None) -> tuple[list[Path], list[Entry]]:
    from sk_supervisor._operate.client import find_runs

    return find_runs(run_dir, warn=lambda line: click.echo(line, err=True))


def _chosen(run: str | None, run_dir: str | None) -> Entry:
    from sk_supervisor._operate.client import choose

    folders, found = _found(run_dir)
    return choose(found, run, folders)


@click.command()
@_of_a_run
@click.option("--all", "every", is_flag=True, help="Print one line for each of your runs.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON (RunStatus, with a version field)."
)
def status(run: str | None, run_dir: str | None, every: bool, as_json: bool) -> None:
    """Show the state of RUN, its groups and its workers.

    RUN is the id of a run, a unique prefix of it, or a pid. Without RUN, your only run is shown; if
    you have several, they are listed.
    """
    from sk_supervisor._operate.client import choose, status_of

    with _plain_errors():
        folders, found = _found(run_dir)
        if not every:
            try:
                entry = choose(found, run, folders)
            except SeveralRunsError:
                if run is not None or as_json:
                    raise
            else:
                _show(status_of(entry), as_json=as_json)
                return
        _show_all(found, as_json=as_json)


def _show(status: RunStatus, *, as_json: bool) -> None:
    import msgspec

    from sk_supervisor._operate.screen import console, print_status
    from sk_supervisor._show.looks import Looks

    if as_json:
        click.echo(msgspec.json.encode(status))
    else:
        print_status(console(), Looks().at(status))


def _show_all(found: Sequence[Entry], *, as_json: bool) -> None:
    import msgspec

    from sk_supervisor._operate.screen import console, print_runs

    runs = [(entry, _asked(entry)) for entry in found]
    if not as_json:
        print_runs(console(), runs)
        return
    listed = [{**msgspec.to_builtins(e.info), "status": msgspec.to_builtins(s)} for e, s in runs]
    click.echo(json.dumps(listed))


def _asked(entry: Entry) -> RunStatus | None:
    from sk_supervisor._operate.client import status_of

    try:
        return status_of(entry, seconds=1.0)
    except (RunGoneError, RunSilentError):
        return None


@click.command()
@_of_a_run
@click.option(
    "--interval",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=1.0,
    show_default=True,
    help="Refresh interval.",
)
def top(run: str | None, run_dir: str | None, interval: float) -> None:
    """Show the state of RUN live until it ends.

    Ctrl-C ends the display, not the run. If standard output is not a terminal, one table is printed
    below the other.
    """
    from sk_supervisor._operate.client import status_of
    from sk_supervisor._operate.screen import console, live_status
    from sk_supervisor._show.looks import Looks

    with _plain_errors():
        entry = _chosen(run, run_dir)
        looks, never = Looks(), threading.Event()
        first = looks.at(status_of(entry))
        try:
            with live_status(console()) as show:
                show(first)
                while not never.wait(interval):
                    show(looks.at(status_of(entry)))
        except RunGoneError as gone:
            click.echo(str(gone))
        except KeyboardInterrupt:
            return


@click.command()
@_of_a_run
@click.option("--force", is_flag=True, help=_FORCE)
@click.option("--wait/--no-wait", default=True, help="Wait until the run has ended, or not.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    help="Maximum wait (default: no limit).",
)
def stop(
    run: str | None, run_dir: str | None, force: bool, wait: bool, timeout: float | None
) -> None:
    """Stop RUN gracefully.

    Its source stops, the records already read are processed, then the run ends. It exits with 143,
    or with 0 if its source is unbounded. Repeating the command does not hurry it; use --force.
    """
    from sk_supervisor._operate import client as client

    with _plain_errors():
        entry = _chosen(run, run_dir)
        name = entry.info.run_id
        if not wait:
            client.stop(entry, force=force)
            click.echo(f"run {name} is stopping")
            return
        try:
            code = client.stop_and_wait(entry, force=force, seconds=timeout)
        except RunSilentError as error:
            click.echo(f"error: {error}: it is still stopping (--force ends it)", err=True)
            sys.exit(EXIT_STOP_TIMEOUT)
        except RunGoneError:
            click.echo(f"run {name} has ended")
        else:
            click.echo(f"run {name} has ended with exit code {code}")


@click.command()
@_of_a_run
@click.option(
    "--after",
    metavar="N",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Only events with a sequence number above N.",
)
def events(run: str | None, run_dir: str | None, after: int) -> None:
    """Print the last 1 000 lifecycle events of RUN, as text."""
    from sk_observability import events_as_text

    from sk_supervisor._operate.client import events_of

    with _plain_errors():
        held = tuple(events_of(_chosen(run, run_dir), after))
        click.echo(events_as_text(held), nl=False)


COMMANDS = (status, top, stop, events)

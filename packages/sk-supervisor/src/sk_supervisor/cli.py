"""The ``sk`` command."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sk_supervisor._operate import COMMANDS
from sk_supervisor.errors import EXIT_CONFIGURATION

if TYPE_CHECKING:
    from sk_config import Config

F = TypeVar("F", bound=Callable[..., Any])

EXIT_CODES = """\b
Exit codes: 0 done, 2 configuration, 3 start or readiness, 4 worker failure,
5 stop timeout (forced), 129/130/143 stopped by SIGHUP/SIGINT/SIGTERM after a clean drain
(143: by sk stop too), 1 no such run, or no answer from it (status, top, stop, events), or nothing
to be read (trace, timeline)."""


@click.group(epilog=EXIT_CODES)
@click.version_option(package_name="sk-supervisor", prog_name="sk")
def main() -> None:
    """Run graphs of plain Python nodes, in one process or over worker processes."""


for _command in COMMANDS:
    main.add_command(_command)


def _configured(command: F) -> F:
    command = click.option(
        "--set", "overrides", metavar="PATH=VALUE", multiple=True, help="Override one value."
    )(command)
    return click.argument("config", type=click.Path(dir_okay=True))(command)


def _load(path: str, overrides: tuple[str, ...]) -> Config:
    from sk_config import ConfigError, load_config

    _find_modules_here()
    try:
        return load_config(path, overrides=overrides)
    except ConfigError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_CONFIGURATION)


def _find_modules_here() -> None:
    # As `python -m` does: an application's modules are found in the folder it is run from.
    if "" not in sys.path:
        sys.path.insert(0, "")


@main.command(name="run")
@_configured
@click.option("--run-id", help="Name of the run; the same run has the same trace ids.")
@click.option("--quiet", is_flag=True, help="No progress and no summary; errors only.")
@click.option("--profile-run", is_flag=True, help="Measure, and tell where the time went.")
def run_command(
    config: str, overrides: tuple[str, ...], run_id: str | None, quiet: bool, profile_run: bool
) -> None:
    """Run CONFIG in the profile that it names."""
    gc.disable()
    try:
        loaded = _load(config, overrides)
        if profile_run:
            from sk_supervisor._profile_run import run_profiled as run
        else:
            from sk_supervisor._execute import run
    finally:
        # Modules and models stay until the end: the collector has no business with them.
        gc.freeze()
        gc.enable()
    sys.exit(run(loaded, run_id=run_id, quiet=quiet))


@main.command()
@_configured
def check(config: str, overrides: tuple[str, ...]) -> None:
    """Check CONFIG: settings, graph, placement. Starts nothing."""
    prepared = _prepared(config, overrides)
    groups = len({s.group for s in prepared.plan.segments})
    click.echo(
        f"ok: {prepared.config.scenario.name}, {prepared.profile} profile,"
        f" {len(prepared.application.graph.nodes)} nodes, {groups} group(s)"
    )


@main.command()
@_configured
def graph(config: str, overrides: tuple[str, ...]) -> None:
    """Print CONFIG's graph, with its groups, as a Mermaid flowchart."""
    from sk_supervisor._mermaid import flowchart

    click.echo(flowchart(_prepared(config, overrides, check_adapters=False).plan), nl=False)


@main.command()
@_configured
@click.option("--trace", metavar="TRACE_ID", help="Replay the run up to the record with this id.")
@click.option("--run-id", help="The run that the trace is of; goes with --trace.")
@click.option("--input", "source", metavar="FILE", help="The source's path, if not as configured.")
@click.option("--dead-letter", "letters", metavar="FILE", help="Replay the letters in this file.")
@click.option("--output", metavar="FILE", help="Write what comes through: the sink's path.")
@click.option("--write", is_flag=True, help="Write what comes through to the sink as configured.")
def replay(
    config: str,
    overrides: tuple[str, ...],
    trace: str | None,
    run_id: str | None,
    source: str | None,
    letters: str | None,
    output: str | None,
    write: bool,
) -> None:
    """Run one record, or dead letters, of CONFIG once more, in this process.

    --trace prints the record's path, node by node, and writes nothing. --dead-letter runs each
    letter from its node on, with empty states, and writes nothing unless --output or --write is
    given; it ends with 1 where a letter fails again.
    """
    from sk_supervisor import _replay

    if (trace is None) == (letters is None):
        raise click.UsageError("give either --trace or --dead-letter")
    if trace is not None and (run_id is None or output is not None or write):
        raise click.UsageError("--trace needs --run-id, and writes nothing")
    if letters is not None and (run_id is not None or source is not None):
        raise click.UsageError("--run-id and --input go with --trace")
    paths = (("source", source), ("sink", output))
    overrides += tuple(_replay.setting_of(role, path) for role, path in paths if path is not None)
    writing = write or output is not None
    prepared = _prepared(config, overrides, check_adapters=writing)
    if trace is not None:
        sys.exit(_replay.trace(prepared, run_id or "", trace))
    sys.exit(_replay.letters(prepared, letters or "", write=writing))


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--trace", "wanted", metavar="ID", default="", help="Its id, or how that begins.")
@click.option("--html", metavar="OUT", help="Write it as a page of its own; - is stdout.")
@click.option("--limit", type=click.IntRange(min=1), default=20, help="Traces to list at most.")
def trace(files: tuple[str, ...], wanted: str, html: str | None, limit: int) -> None:
    """Show a trace of what the span exporter jsonl has written to each FILE.

    Where there are several traces and none is chosen they are listed, failed ones first, then the
    longest. Files may be of any size: they are read line by line.
    """
    from sk_supervisor import _trace

    sys.exit(_trace.trace(files, wanted, html, limit))


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--run", "run_id", metavar="ID", help="The run, where there are several.")
@click.option("--html", metavar="OUT", help="Write it as a page of its own; - is stdout.")
def timeline(files: tuple[str, ...], run_id: str | None, html: str | None) -> None:
    """Show the lives of a run's workers, of what the log exporter jsonl has written to each FILE.

    A file has the events of every run that wrote there: the last one is shown if none is chosen.
    """
    from sk_supervisor import _timeline_command

    sys.exit(_timeline_command.timeline(files, run_id, html))


@main.command()
def schema() -> None:
    """Print the JSON Schema of the configuration."""
    from sk_config import config_schema

    click.echo(json.dumps(config_schema(), indent=2))


def _prepared(path: str, overrides: tuple[str, ...], *, check_adapters: bool = True) -> Any:
    from sk_supervisor._account import refusal
    from sk_supervisor._preflight import prepare
    from sk_supervisor.errors import RunRefusedError

    config = _load(path, overrides)
    try:
        return prepare(config, check_adapters=check_adapters)
    except RunRefusedError as error:
        click.echo(refusal(error, config), err=True)
        sys.exit(error.exit_code)

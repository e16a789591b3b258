"""The ``sk`` command."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sk_supervisor.errors import EXIT_CONFIGURATION

if TYPE_CHECKING:
    from sk_config import Config

F = TypeVar("F", bound=Callable[..., Any])

EXIT_CODES = """\b
Exit codes: 0 done, 2 configuration, 3 start or readiness, 4 worker failure,
5 stop timeout (forced), 130/143 stopped by SIGINT/SIGTERM after a clean drain."""


@click.group(epilog=EXIT_CODES)
@click.version_option(package_name="sk-supervisor", prog_name="sk")
def main() -> None:
    """Run graphs of plain Python nodes, in one process or over worker processes."""


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
def run_command(config: str, overrides: tuple[str, ...], run_id: str | None, quiet: bool) -> None:
    """Run CONFIG in the profile that it names."""
    from sk_supervisor._execute import run

    sys.exit(run(_load(config, overrides), run_id=run_id, quiet=quiet))


@main.command()
@_configured
def check(config: str, overrides: tuple[str, ...]) -> None:
    """Check CONFIG: settings, graph, placement. Starts nothing."""
    prepared = _prepared(config, overrides)
    groups = len({s.group for s in prepared.plan.segments})
    profile = "process_supervisor" if prepared.multiprocess else "memory"
    click.echo(
        f"ok: {prepared.config.scenario.name}, {profile} profile,"
        f" {len(prepared.application.graph.nodes)} nodes, {groups} group(s)"
    )


@main.command()
@_configured
def graph(config: str, overrides: tuple[str, ...]) -> None:
    """Print CONFIG's graph, with its groups, as a Mermaid flowchart."""
    from sk_supervisor._mermaid import flowchart

    click.echo(flowchart(_prepared(config, overrides, check_adapters=False).plan), nl=False)


@main.command()
def schema() -> None:
    """Print the JSON Schema of the configuration."""
    from sk_config import config_schema

    click.echo(json.dumps(config_schema(), indent=2))


def _prepared(path: str, overrides: tuple[str, ...], *, check_adapters: bool = True) -> Any:
    from sk_supervisor._preflight import prepare
    from sk_supervisor.errors import RunRefusedError, refusal

    config = _load(path, overrides)
    try:
        return prepare(config, check_adapters=check_adapters)
    except RunRefusedError as error:
        click.echo(refusal(error), err=True)
        sys.exit(error.exit_code)

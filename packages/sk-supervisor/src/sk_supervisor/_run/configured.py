"""What a command is given as its CONFIG: loaded, and made ready to be run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from sk_supervisor.errors import EXIT_CONFIGURATION

if TYPE_CHECKING:
    from sk_config import Config

    from sk_supervisor._plan.preflight import Prepared

F = TypeVar("F", bound=Callable[..., Any])

_OVERRIDE: Final = (
    "Override one value of CONFIG, for example runtime.platform.batch.max_records=100; VALUE is"
    " YAML."
)


def configured(command: F) -> F:
    """Give a command a CONFIG, and ``--set`` for its values."""
    command = click.option(
        "--set", "overrides", metavar="PATH=VALUE", multiple=True, help=_OVERRIDE
    )(command)
    return click.argument("config", type=click.Path(dir_okay=True))(command)


def load(path: str, overrides: tuple[str, ...]) -> Config:
    """The configuration that is meant; one that is none ends the command with 2."""
    from sk_config import ConfigError, load_config

    _find_modules_here()
    try:
        return load_config(path, overrides=overrides)
    except ConfigError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_CONFIGURATION)


def prepared(
    path: str,
    overrides: tuple[str, ...],
    *,
    run_checks: bool = True,
    options: Mapping[str, str] = MappingProxyType({}),
) -> Prepared:
    """What is made ready of a configuration; a refusal ends the command, with its code.

    ``options`` are the command's own for settings, by path: a setting that its adapter does not
    have is told by the option's name, too.
    """
    from sk_supervisor._plan.preflight import prepare
    from sk_supervisor._run.summary import refusal
    from sk_supervisor.errors import RunRefusedError

    config = load(path, overrides)
    try:
        return prepare(config, run_checks=run_checks)
    except RunRefusedError as error:
        click.echo(refusal(error, config), err=True)
        for fault in error.faults:
            if fault.category == "unknown_key" and fault.path in options:
                option = options[fault.path]
                click.echo(f"  {option} needs an adapter that has a setting 'path'", err=True)
        sys.exit(error.exit_code)


def _find_modules_here() -> None:
    # As `python -m` does: an application's modules are found in the folder it is run from.
    if "" not in sys.path:
        sys.path.insert(0, "")

"""The CONFIG argument of a command: declared, loaded, and prepared for a run."""

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
    """Add the argument CONFIG to a command, and the option ``--set`` for its values."""
    command = click.option(
        "--set", "overrides", metavar="PATH=VALUE", multiple=True, help=_OVERRIDE
    )(command)
    return click.argument("config", type=click.Path(dir_okay=True))(command)


def load(path: str, overrides: tuple[str, ...]) -> Config:
    """Return the configuration; a configuration error ends the command with exit code 2."""
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
    """Return the prepared configuration; if it cannot run, the command ends with the error's code.

    ``options`` maps setting paths to options of the command: if the adapter does not have such a
    setting, the error also names the option.
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
    # As with `python -m`, modules of an application are found in the working directory.
    if "" not in sys.path:
        sys.path.insert(0, "")

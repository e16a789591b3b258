"""The ``sk-fundload`` command. What a subcommand needs is imported when it runs."""

from __future__ import annotations

import gc
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sk_fundload._last_code import LastCode

_EXIT_USAGE = 2


class _Fundload(click.Group):
    """Ctrl-C ends it with its code, and without a word."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(128 + signal.SIGINT)


@click.group(cls=_Fundload, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sk-fundload")
def main() -> None:
    """Adjudicate attempts to load funds: JSON lines in, one decision per line out."""


@main.command()
@click.option("--rules", type=click.Choice(["baseline", "exp_mp"]), help="Built-in rule set.")
@click.option("--profile", type=click.Choice(["memory", "multiprocess"]), help="Where nodes run.")
@click.option("--input", "input_", metavar="FILE|-", help="Lines to read; - is standard input.")
@click.option("--output", metavar="FILE|-", help="Decisions; - is standard output.")
@click.option("--rejects", metavar="FILE|-", help="Accounts of lines that cannot be read.")
@click.option("--config", metavar="FILE", help="A configuration instead of a built-in one.")
@click.option("--set", "overrides", metavar="PATH=VALUE", multiple=True, help="Override a value.")
@click.option("--run-id", metavar="ID", help="A name for the run; else one is made.")
@click.option("--quiet", is_flag=True, help="Say nothing but what goes wrong.")
@click.option("--profile-run", is_flag=True, help="Measure, and tell where the time went.")
@click.pass_obj
def run(
    last: LastCode | None,
    rules: str | None,
    profile: str | None,
    input_: str | None,
    output: str | None,
    rejects: str | None,
    config: str | None,
    overrides: tuple[str, ...],
    run_id: str | None,
    quiet: bool,
    profile_run: bool,
) -> None:
    """Read lines, decide, and write a decision for each.

    Choose --rules and --profile, or give a --config. Output files are put in place when the run is
    complete: one that failed or was stopped leaves the old ones alone.

    \b
    Exit codes: 0 done, 2 configuration, 3 start or readiness, 4 failure,
    5 stop timeout or forced, 129/130/143 stopped by SIGHUP/SIGINT/SIGTERM,
    141 the reader of standard output has gone.
    """
    # Modules and models stay until the end: the collector has no business with them.
    gc.disable()
    from sk_config import ConfigError

    from sk_fundload._runner import run_config
    from sk_fundload._setup import configuration
    from sk_fundload.errors import UsageError

    try:
        chosen = configuration(
            rules=rules,
            profile=profile,
            file=config,
            overrides=overrides,
            places={"input": input_, "output": output, "rejects": rejects},
        )
        gc.freeze()
        gc.enable()
        code = run_config(
            chosen, run_id=run_id, quiet=quiet, profile_run=profile_run, stderr=sys.stderr
        )
        if last is not None:  # the process is the command's
            last.settle(code)
    except (ConfigError, UsageError) as error:
        click.echo(f"error: {error}", err=True)
        code = _EXIT_USAGE
    finally:
        gc.enable()
    sys.exit(code)


@main.command()
@click.option("--records", type=click.IntRange(min=0), required=True, help="Lines to decide on.")
@click.option("--seed", type=int, required=True, help="The same seed gives the same bytes.")
@click.option("--dirty", is_flag=True, help="With lines that cannot be read, of every kind.")
@click.option("--output", metavar="FILE|-", required=True, help="Where to; - is standard output.")
def generate(records: int, seed: int, dirty: bool, output: str) -> None:
    """Write input that brings every rule to its edge, the same for the same seed."""
    from sk_fundload._runner import generate_to
    from sk_fundload.errors import EXIT_READER_GONE, BrokenOutputError, OutputError

    try:
        generate_to(output, records=records, seed=seed, dirty=dirty)
    except BrokenOutputError:
        sys.exit(EXIT_READER_GONE)
    except OutputError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(_EXIT_USAGE)

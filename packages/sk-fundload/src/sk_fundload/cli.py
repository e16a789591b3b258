"""The ``sk-fundload`` command. Each subcommand imports the modules that it needs when it runs."""

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
    """The command group. Ctrl-C ends it silently, with the exit code of SIGINT."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(128 + signal.SIGINT)


@click.group(cls=_Fundload, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sk-fundload")
def main() -> None:
    """Decide on attempts to load funds: JSON lines in, one decision per line out."""


@main.command()
@click.option("--rules", type=click.Choice(["baseline", "exp_mp"]), help="Built-in rule set.")
@click.option(
    "--profile",
    type=click.Choice(["memory", "multiprocess"]),
    help="Run in one process, or over four.",
)
@click.option("--input", "input_", metavar="FILE|-", help="Lines to read; - is standard input.")
@click.option("--output", metavar="FILE|-", help="Decisions; - is standard output.")
@click.option("--rejects", metavar="FILE|-", help="Report unreadable lines here.")
@click.option("--config", metavar="FILE", help="A configuration instead of a built-in one.")
@click.option("--set", "overrides", metavar="PATH=VALUE", multiple=True, help="Override one value.")
@click.option("--run-id", metavar="ID", help="Id of the run (default: generated).")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@click.option("--profile-run", is_flag=True, help="Measure the run; print a time profile.")
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
    """Read lines and write a decision for each.

    Choose --rules and --profile, or give a --config. Output files are put in place when the run is
    complete. A run that failed or was stopped does not change them.

    \b
    Exit codes:
      0    done
      2    faults in the configuration, or wrong usage
      3    start or readiness failed
      4    a worker, node or adapter failed
      5    forced end, or the stop took too long
      129  stopped by SIGHUP, after a clean drain
      130  stopped by SIGINT (Ctrl-C), after a clean drain
      141  nobody reads standard output any more
      143  stopped by SIGTERM, after a clean drain
    """
    # Modules and models live until the end: the garbage collector need not look at them.
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
        if last is not None:  # the command has a process of its own
            last.settle(code)
    except (ConfigError, UsageError) as error:
        click.echo(f"error: {error}", err=True)
        code = _EXIT_USAGE
    finally:
        gc.enable()
    sys.exit(code)


@main.command()
@click.option(
    "--records",
    metavar="N",
    type=click.IntRange(min=0),
    required=True,
    help="Number of lines to decide on.",
)
@click.option("--seed", metavar="N", type=int, required=True, help="The same seed, the same bytes.")
@click.option("--dirty", is_flag=True, help="Include unreadable lines.")
@click.option("--output", metavar="FILE|-", required=True, help="Output; - is standard output.")
def generate(records: int, seed: int, dirty: bool, output: str) -> None:
    """Generate reproducible test input that covers the edge cases of every rule."""
    from sk_fundload._runner import generate_to
    from sk_fundload.errors import EXIT_READER_GONE, BrokenOutputError, OutputError

    try:
        generate_to(output, records=records, seed=seed, dirty=dirty)
    except BrokenOutputError:
        sys.exit(EXIT_READER_GONE)
    except OutputError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(_EXIT_USAGE)

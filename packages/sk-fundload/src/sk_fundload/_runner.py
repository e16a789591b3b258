"""Carrying out the subcommands: the run, and the generator's output."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from sk_fundload.errors import MissingExtraError

if TYPE_CHECKING:
    from sk_config import Config


def run_config(
    config: Config,
    *,
    run_id: str | None,
    quiet: bool,
    stderr: TextIO,
    profile_run: bool = False,
) -> int:
    """Run a configuration and give the exit code.

    With sk-supervisor either profile runs under it, and can be measured with ``profile_run``.
    Without, the kernel alone runs the memory profile.

    :raises MissingExtraError: when the configuration needs sk-supervisor and it is not installed.
    """
    try:
        if profile_run:
            from sk_supervisor import run_profiled as run
        else:
            from sk_supervisor import run
    except ModuleNotFoundError as error:
        if error.name != "sk_supervisor":
            raise
        if profile_run:
            raise MissingExtraError("--profile-run", "multiprocess") from error
        from sk_fundload._alone import run_alone

        return run_alone(config, run_id=run_id, quiet=quiet, stderr=stderr)
    return run(config, run_id=run_id, quiet=quiet, stderr=stderr)


def generate_to(path: str, *, records: int, seed: int, dirty: bool) -> None:
    """Write generated input to ``path`` (or ``-``), a file only when all of it is there.

    :raises OutputError: when it cannot be written; a file that was there is as it was.
    """
    from sk_fundload.adapters import open_target
    from sk_fundload.generator import generate

    target = open_target(path)
    try:
        for block in generate(records, seed, dirty=dirty):
            target.write(block)
        target.finish()
        target.commit()
    except BaseException:
        target.discard()
        raise

"""The commands and their options, as click has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from inspect import cleandoc
from types import MappingProxyType
from typing import Final

import click

#: The commands of ``sk`` by what they are for, in the order of use.
_OF_SK: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Run": ("check", "run", "graph", "schema"),
        "Look at a run and stop it": ("status", "top", "events", "stop"),
        "After a run": ("replay", "trace", "timeline"),
    }
)
_EXIT_CODE: Final = re.compile(r"^  (\d+)  +", re.MULTILINE)


class UnlistedCommandError(Exception):
    """A command of ``sk`` is in no group, or a group names one that is not there."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"printed_commands.py and sk differ in: {', '.join(names)}")


def commands_of_sk() -> str:
    """The command of sk-supervisor."""
    sk = _command("sk")
    listed = [name for names in _OF_SK.values() for name in names]
    if differing := sk.commands.keys() ^ set(listed):
        raise UnlistedCommandError(sorted(differing))
    parts = [_help(sk)]
    for title, names in _OF_SK.items():
        parts.append(f"### {title}")
        parts += [_section("sk", sk.commands[name], "####") for name in names]
    return "\n\n".join(parts)


def commands_of_fundload() -> str:
    """The command of sk-fundload."""
    fundload = _command("sk-fundload")
    sections = (
        _section("sk-fundload", each, "###") for _, each in sorted(fundload.commands.items())
    )
    return "\n\n".join([_help(fundload), *sections])


def _command(name: str) -> click.Group:
    (script,) = entry_points(group="console_scripts", name=name)
    group: click.Group = import_module(f"{script.module.partition('.')[0]}.cli").main
    return group


def _section(program: str, command: click.Command, rank: str) -> str:
    usage = " ".join([program, command.name or "", *map(_argument, command.params)])
    parts = [
        f"{rank} `{program} {command.name}`",
        f"    {usage.strip()} [OPTIONS]",
        _help(command),
    ]
    rows = [_row(param) for param in command.params if isinstance(param, click.Option)]
    if rows:
        head = ["| option | description | default |", "|---|---|---|"]
        parts.append("\n".join([*head, *rows]))
    return "\n\n".join(parts)


def _argument(parameter: click.Parameter) -> str:
    if not isinstance(parameter, click.Argument):
        return ""
    name = parameter.metavar or (parameter.name or "").upper()
    return name if parameter.required else f"[{name}]"


def _help(command: click.Command) -> str:
    r"""The help text; what is not to be wrapped again (``\b``) is a table, or a block of text."""
    texts = (command.help, command.epilog)
    paragraphs = (part for text in texts if text for part in cleandoc(text).split("\n\n"))
    return "\n\n".join(map(_paragraph, paragraphs))


def _paragraph(text: str) -> str:
    if not text.startswith("\b\n"):
        return " ".join(text.split())
    text = text.removeprefix("\b\n")
    if text.startswith("Exit codes:"):
        return "\n".join(["| exit code | meaning |", "|---:|---|", *_exit_codes(text)])
    return f"```text\n{text}\n```"


def _exit_codes(text: str) -> Iterator[str]:
    _, *parts = _EXIT_CODE.split(text)
    for code, meaning in zip(parts[::2], parts[1::2], strict=True):
        yield f"| {code} | {' '.join(meaning.split())} |"


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" `{_value(option)}`"
    notes = " May be given several times." if option.multiple else ""
    return f"| {names}{value} | {(option.help or '').strip()}{notes} | {_default(option)} |"


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return r"\|".join(map(str, option.type.choices))
    return (option.metavar or option.name or "").upper().replace("|", r"\|")


def _default(option: click.Option) -> str:
    """What holds where the option is not given, unless that is nothing."""
    if option.required:
        return "_required_"
    if option.secondary_opts:
        return f"`{(option.opts if option.default else option.secondary_opts)[0]}`"
    if not option.show_default or option.default is None:
        return ""
    return f"`{option.default:g}`" if isinstance(option.default, float) else f"`{option.default}`"

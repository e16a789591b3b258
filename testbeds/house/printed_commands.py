"""The commands and their options, as click has them."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

import click


def commands_of_sk() -> str:
    """The command of sk-supervisor."""
    return _reference("sk")


def commands_of_fundload() -> str:
    """The command of sk-fundload."""
    return _reference("sk-fundload")


def _reference(name: str) -> str:
    (script,) = entry_points(group="console_scripts", name=name)
    group: click.Group = import_module(f"{script.module.partition('.')[0]}.cli").main
    parts = [_help(group)]
    parts += [_section(name, command) for _, command in sorted(group.commands.items())]
    return "\n\n".join(parts)


def _section(program: str, command: click.Command) -> str:
    usage = " ".join([program, command.name or "", *map(_argument, command.params)])
    parts = [f"### `{program} {command.name}`", f"    {usage.strip()} [OPTIONS]", _help(command)]
    rows = [_row(param) for param in command.params if isinstance(param, click.Option)]
    if rows:
        parts.append("\n".join(["| option | does |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def _argument(parameter: click.Parameter) -> str:
    if not isinstance(parameter, click.Argument):
        return ""
    name = parameter.metavar or (parameter.name or "").upper()
    return name if parameter.required else f"[{name}]"


def _help(command: click.Command) -> str:
    """The help text; what is not to be wrapped again (``\\b``) is wrapped here, too."""
    epilog = f"\n\n{command.epilog}" if command.epilog else ""
    paragraphs = f"{command.help}{epilog}".replace("\b", "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" `{_value(option)}`"
    notes = " Required." if option.required else ""
    notes += " May be given several times." if option.multiple else ""
    return f"| {names}{value} | {(option.help or '').strip()}{notes} |"


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return " or ".join(map(str, option.type.choices))
    return (option.metavar or option.name or "").upper().replace("|", " or ")

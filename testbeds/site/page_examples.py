"""The examples of a page: files, and commands with what they say.

A block whose first line is ``# NAME`` is the file NAME; that line stays in a file of code or YAML.
In a block ``console``, the lines after ``$`` are commands, the others the output of the last one.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"# (\S+\.\w+)\n")
_SECONDS = re.compile(r"\d+\.\d\ds")
_PROGRAMS: Final = {
    "sk": [sys.executable, "-m", "sk_supervisor"],
    "python": [sys.executable],
    "cat": ["cat"],
}
TIMEOUT_SECONDS: Final = 120


def write_files(text: str, folder: Path) -> None:
    """Write every file of a page into ``folder``."""
    for match in _BLOCK.finditer(text):
        name = _NAME.match(match[2])
        if name:
            path = folder / name[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            # As a reader pastes it; in a file of data the line would be data.
            commented = path.suffix in (".py", ".yaml")
            path.write_text(match[2] if commented else match[2][name.end() :], "utf-8")


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Every command of a page, and what it should say."""
    for match in _BLOCK.finditer(text):
        if match[1] == "console":
            for step in re.split(r"^\$ ", match[2], flags=re.MULTILINE)[1:]:
                command, _, said = step.partition("\n")
                yield command, said


def said_by(command: str, folder: Path) -> str:
    """Run a command in ``folder``: what it says on either stream, times as in ``0.00s``."""
    program, *arguments = shlex.split(command)
    done = subprocess.run(
        [*_PROGRAMS[program], *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return _SECONDS.sub("0.00s", done.stdout)

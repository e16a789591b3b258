"""Every exception of this package.

An unreadable *record* is not an exception: it becomes a declined decision. A failure of the input
or output is the environment's fault (`StreamError`), an invalid call of the command is the caller's
(`UsageError`). Messages name paths and settings, never the content of a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

EXIT_READER_GONE: Final = 141  # 128 + SIGPIPE, as for a program that SIGPIPE ends


class FundLoadError(Exception):
    """Base class of this package's exceptions. Pickling and copying keep all fields."""

    # The default would call the class with `args`, which holds the message and not the fields.
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).__new__, (type(self),), {**vars(self), "args": self.args}


class StreamError(FundLoadError, OSError):
    """A file, pipe or device could not be opened, read, written or put in place.

    An `OSError` as well: its message comes from the system, not from a record.
    """

    def __init__(self, action: str, path: str, problem: str) -> None:
        self.action, self.path, self.problem = action, path, problem
        super().__init__(f"cannot {action} {path}: {problem}")


class InputError(StreamError):
    """The input cannot be opened or read."""


class OutputError(StreamError):
    """An output cannot be opened, written or put in place."""


class BrokenOutputError(OutputError):
    """The reader of the output has closed it: nothing more can be delivered."""


class UsageError(FundLoadError):
    """The command was called with options or settings that cannot work; nothing was started."""


class ConflictingOptionsError(UsageError):
    """Two options exclude each other."""

    def __init__(self, first: str, second: str, advice: str) -> None:
        self.first, self.second, self.advice = first, second, advice
        super().__init__(f"{first} and {second} exclude each other: {advice}")


class MissingOptionError(UsageError):
    """A required option is missing."""

    def __init__(self, option: str, alternative: str) -> None:
        self.option, self.alternative = option, alternative
        super().__init__(f"{option} is needed ({alternative})")


class SamePlaceError(UsageError):
    """Two of a run's paths name the same file."""

    def __init__(self, first: str, second: str, path: str) -> None:
        self.first, self.second, self.path = first, second, path
        super().__init__(f"{first} and {second} are the same file, {path}: name another one")


class MixedOutputError(UsageError):
    """Decisions and something else would both go to standard output."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(
            f"the decisions go to standard output, and so does {place}: give --output a file,"
            " or that exporter another kind"
        )


class RulesDisagreeError(UsageError):
    """Nodes that implement one rule together have different settings for it."""

    def __init__(self, setting: str, nodes: Mapping[str, tuple[str, ...]]) -> None:
        self.setting, self.nodes = setting, dict(nodes)
        differs = " and ".join(f"{value} in {', '.join(own)}" for value, own in nodes.items())
        super().__init__(f"{setting} is {differs}: it must be the same in all of them")


class MissingExtraError(UsageError):
    """The configuration uses a feature of an optional package that is not installed."""

    def __init__(self, wanted: str, extra: str) -> None:
        self.wanted, self.extra = wanted, extra
        super().__init__(f"an extra package, 'sk-fundload[{extra}]', is needed for {wanted}")

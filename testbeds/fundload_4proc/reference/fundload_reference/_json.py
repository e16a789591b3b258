"""A strict RFC 8259 reader without recursion, which leaves every number as its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fundload_reference._json_string import JsonError, read_string

__all__ = ["MAX_DEPTH", "Json", "JsonError", "Number", "parse_json"]

MAX_DEPTH = 512
_SPACE = " \t\r\n"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LITERALS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Number:
    """A JSON number as it was written."""

    text: str
    is_integer: bool


Json: TypeAlias = "bool | str | Number | list[Json] | dict[str, Json] | None"


@dataclass
class _Open:
    """A container whose end has not been read; `key` is that of the member being read."""

    container: list[Json] | dict[str, Json]
    key: str = ""

    @property
    def closer(self) -> str:
        return "]" if isinstance(self.container, list) else "}"


def parse_json(data: bytes) -> Json:
    """Give the one JSON value that `data` is; raise `JsonError` if it is anything else."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise JsonError("invalid UTF-8", fault.start) from fault
    return _Parser(text).parse()


class _Parser:
    """Reads one token a step; each step returns the step that must come next, None at the end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.open: list[_Open] = []
        self.result: Json = None

    def parse(self) -> Json:
        step: Callable[[], _Step | None] | None = self.value
        while step is not None:
            self.skip_space()
            step = step()
        self.skip_space()
        if self.at < len(self.text):
            raise JsonError("text after the value", self.at)
        return self.result

    def value(self) -> _Step | None:
        char = self.peek()
        if char == "{":
            return self.enter({}, self.first_key_or_end)
        if char == "[":
            return self.enter([], self.first_item_or_end)
        if char == '"':
            string, self.at = read_string(self.text, self.at)
            return self.store(string)
        for word, meaning in _LITERALS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return self.store(meaning)
        return self.store(self.number())

    def number(self) -> Number:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            raise JsonError("no JSON value", self.at)
        self.at = match.end()
        return Number(match[0], is_integer=match[1] is None and match[2] is None)

    def first_item_or_end(self) -> _Step | None:
        return self.leave() if self.peek() == "]" else self.value()

    def first_key_or_end(self) -> _Step | None:
        return self.leave() if self.peek() == "}" else self.key()

    def key(self) -> _Step | None:
        if self.peek() != '"':
            raise JsonError("no key", self.at)
        self.open[-1].key, self.at = read_string(self.text, self.at)
        self.skip_space()
        if self.peek() != ":":
            raise JsonError("no colon after a key", self.at)
        self.at += 1
        return self.value

    def comma_or_end(self) -> _Step | None:
        if self.peek() == self.open[-1].closer:
            return self.leave()
        if self.peek() != ",":
            raise JsonError("no comma and no end", self.at)
        self.at += 1
        return self.value if isinstance(self.open[-1].container, list) else self.key

    def enter(self, container: list[Json] | dict[str, Json], step: _Step) -> _Step:
        if len(self.open) == MAX_DEPTH:
            raise JsonError("nested too deep", self.at)
        self.open.append(_Open(container))
        self.at += 1
        return step

    def leave(self) -> _Step | None:
        self.at += 1
        return self.store(self.open.pop().container)

    def store(self, value: Json) -> _Step | None:
        if not self.open:
            self.result = value
            return None
        parent = self.open[-1]
        if isinstance(parent.container, list):
            parent.container.append(value)
        else:
            parent.container[parent.key] = value
        return self.comma_or_end

    def peek(self) -> str:
        """Give the next character, or the empty string at the end of the text."""
        return self.text[self.at : self.at + 1]

    def skip_space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1


_Step: TypeAlias = "Callable[[], _Step | None]"

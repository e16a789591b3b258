"""Reading YAML text: plain data, the line of every value, and a finding per duplicate key.

Only PyYAML's scanner, parser and composer are used, but no constructor: no tag can create an
object. Scalars are read by the core schema of YAML 1.2
(https://yaml.org/spec/1.2.2/#103-core-schema), so that `no` is a string, `1e3` a number and a date
a string, and the same text means the same in YAML and in JSON.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml.nodes import Node, ScalarNode, SequenceNode

from sk_config._document import Document, without_value
from sk_config._finding import Finding
from sk_config._limits import MAX_DEPTH, MAX_VALUES, OverLimitError, too_deep, too_many
from sk_config._path import Path
from sk_config._yaml_compose import compose
from sk_config._yaml_scalars import InvalidScalar, scalar
from sk_config.errors import Category

_COLLECTION_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_NO_KEY = object()


def parse_yaml(text: str) -> Document:
    """Read YAML text of one document; a syntax fault has its line."""
    try:
        node = compose(text)
    except OverLimitError as error:
        return without_value(error.finding)
    except yaml.MarkedYAMLError as error:
        return without_value(_syntax(error.problem or "", error.problem_mark, text))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return without_value(
            Finding((), "syntax", "valid YAML", "a character that YAML forbids", line)
        )
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        # PyYAML does not catch these: an escape beyond Unicode, a version of thousands of digits.
        return without_value(Finding((), "syntax", "valid YAML", "text that cannot be read"))
    if node is None:
        return Document(value=None)
    reader = _Reader()
    try:
        value = reader.value(node, ())
    except OverLimitError as error:
        return without_value(error.finding)
    return Document(value=value, findings=tuple(reader.findings), lines=reader.lines)


def _syntax(problem: str, mark: yaml.Mark | None, text: str) -> Finding:
    # These problems quote a piece of the text (an alias, a tag), which may be an unquoted secret.
    if problem.startswith(("found undefined", "duplicate tag")):
        problem = problem.partition(" '")[0]
    if "character '\\t'" in problem:  # most editors show a tab as spaces
        problem = "a tab: indent with spaces"
    got = f"an error ({problem or 'text that cannot be read'})"
    if mark is None:
        return Finding((), "syntax", "valid YAML", got)
    placeholder = text[max(0, mark.index - 1) : mark.index + 1] == "${"
    expected = 'valid YAML: in { } a value with ${ is quoted, "${ENV:NAME}"' if placeholder else ""
    got = f"{got}, column {mark.column + 1}"
    return Finding((), "syntax", expected or "valid YAML", got, mark.line + 1)


class _Reader:
    """Converts composed nodes to plain data, with a finding for each that has no plain value.

    An alias becomes a copy of its anchor's value, and counts towards `MAX_VALUES` each time.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.lines: dict[Path, int] = {}
        self._values = 0

    def value(self, node: Node, path: Path) -> Any:
        self._values += 1
        if len(path) > MAX_DEPTH:
            raise OverLimitError(too_deep(path[:1]))
        if self._values > MAX_VALUES:
            raise OverLimitError(too_many(path[:1]))
        self.lines.setdefault(path, _line(node))
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if node.tag not in _COLLECTION_TAGS:
            self._find(node, path, "bad_value", "a value without a tag", "a tag")
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._mapping(node, path)

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        read = scalar(node.tag, node.value)
        if isinstance(read, InvalidScalar):
            self._find(node, path, "bad_value", read.expected, read.got)
            return None
        return read

    def _mapping(self, node: Node, path: Path) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        first: dict[Any, int] = {}
        for key_node, value_node in node.value:
            if (key := self._key(key_node, path)) is _NO_KEY:
                continue
            there = (*path, str(key))
            if key in mapping:
                got = f"a second one; the first is on line {first[key]}"
                self._find(key_node, there, "syntax", "every key once", got)
                continue
            first[key] = self.lines[there] = _line(key_node)
            mapping[key] = self.value(value_node, there)
        return mapping

    def _key(self, node: Node, path: Path) -> Any:
        """Return a mapping's key, or `_NO_KEY` and a finding if the node cannot be a key."""
        if not isinstance(node, ScalarNode):
            self._find(node, path, "wrong_type", "keys that are strings", "a collection as a key")
            return _NO_KEY
        if node.value == "<<" and node.style is None:
            got = "a merge key (<<), which YAML 1.2 does not have"
            self._find(node, path, "syntax", "the keys themselves", got)
            return _NO_KEY
        read = scalar(node.tag, node.value)
        if isinstance(read, InvalidScalar):
            self._find(node, path, "bad_value", read.expected, read.got)
            return _NO_KEY
        return read

    def _find(self, node: Node, path: Path, category: Category, expected: str, got: str) -> None:
        self.findings.append(Finding(path, category, expected, got, _line(node)))


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1

"""Composing YAML nodes: PyYAML's composer with a depth limit and the scalars of YAML 1.2."""

from __future__ import annotations

from yaml.composer import Composer
from yaml.nodes import Node
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from sk_config._limits import MAX_DEPTH, OverLimitError, too_deep
from sk_config._yaml_scalars import SCALARS


class _Resolver(BaseResolver):
    """Resolves the type of a plain scalar by the core schema of YAML 1.2."""


# PyYAML looks up the patterns of a scalar by its first character, "" for an empty scalar.
for _tag, _scalar in SCALARS.items():
    _first = ["" if char == "\0" else char for char in _scalar.first_characters]
    _Resolver.add_implicit_resolver(_tag, _scalar.pattern, _first)


class _NodeComposer(Reader, Scanner, Parser, Composer, _Resolver):
    """The reading half of a PyYAML loader."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _Resolver.__init__(self)
        self._nesting = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        """Compose a node; the depth limit keeps the recursion below the interpreter's limit."""
        self._nesting += 1
        if self._nesting > MAX_DEPTH + 2:  # + the document, and a scalar in the deepest list
            raise OverLimitError(too_deep(()))
        try:
            return super().compose_node(parent, index)
        finally:
            self._nesting -= 1


def compose(text: str) -> Node | None:
    """Compose the only document of a text; return None if it is empty.

    Raises PyYAML's errors, and `OverLimitError`.
    """
    return _NodeComposer(text).get_single_node()

"""A page for a package's public interface, from its source: read, never run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

import griffe
from site_docstrings import as_markdown, wrapped
from site_navigation import ROOT

_SECTIONS = ("Functions", "Classes", "Values")
_SECTION_OF = {griffe.Kind.FUNCTION: "Functions", griffe.Kind.CLASS: "Classes"}


def api_page(module_name: str) -> str:
    """Every name of the module's ``__all__``, with its signature and its docstring."""
    loader = griffe.GriffeLoader(
        search_paths=[str(path) for path in sorted(ROOT.glob("packages/*/src"))],
        allow_inspection=False,
    )
    module = loader.load(module_name)
    loader.resolve_aliases(external=True, implicit=False)
    names = sorted(str(name) for name in module.exports or () if name != "__version__")
    parts = [f"# {module_name}", _text(module)]
    for title in _SECTIONS:
        found = [module[n] for n in names if _SECTION_OF.get(module[n].kind, "Values") == title]
        if found:
            parts += [f"## {title}", *(_entry(each) for each in found)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _entry(found: griffe.Object | griffe.Alias) -> str:
    parts = [f"### {found.name}", _code(_declaration(found)), _text(found)]
    if found.is_class:
        parts += [_member(member) for member in _members(found)]
    return "\n\n".join(filter(None, parts))


def _members(cls: griffe.Object | griffe.Alias) -> Iterator[griffe.Object | griffe.Alias]:
    """The public methods and properties that have a docstring; fields are in the declaration."""
    target = cls.final_target if isinstance(cls, griffe.Alias) else cls
    for name, member in target.members.items():
        documented = member.docstring is not None and not name.startswith("_")
        if documented and not member.is_alias and not _is_field(member):
            yield member


def _member(member: griffe.Object | griffe.Alias) -> str:
    return f"`{_one_line(_signature(member))}`\n: " + _text(member).replace("\n", "\n  ")


def _declaration(found: griffe.Object | griffe.Alias) -> str:
    target = found.final_target if isinstance(found, griffe.Alias) else found
    match target:
        case griffe.Class():
            bases = ", ".join(map(str, target.bases))
            head = f"class {found.name}({bases})" if bases else f"class {found.name}"
            body = [f"    {_field(m)}" for m in target.members.values() if _is_field(m)]
            return "\n".join([f"{head}:" if body else head, *body])
        case griffe.Attribute():
            return _field(target)
        case griffe.Function() if target.overloads:
            return "\n".join(wrapped(_signature(each)) for each in target.overloads)
    return wrapped(_signature(target))


def _is_field(member: griffe.Object | griffe.Alias) -> TypeGuard[griffe.Attribute]:
    return (
        isinstance(member, griffe.Attribute)
        and not member.name.startswith("_")
        and "property" not in member.labels
    )


def _field(field: griffe.Attribute) -> str:
    kind = f": {field.annotation}" if field.annotation else ""
    value = str(field.value) if field.value is not None else ""
    shown = f" = {value}" if value and len(value) <= 60 and "\n" not in value else ""
    return f"{field.name}{kind}{shown}"


def _signature(found: griffe.Object | griffe.Alias) -> str:
    target = found.final_target if isinstance(found, griffe.Alias) else found
    match target:
        case griffe.Function():
            return str(target.signature())
        case griffe.Attribute():
            return _field(target)
    return str(target.name)


def _text(found: griffe.Object | griffe.Alias) -> str:
    return as_markdown(str(found.docstring.value)) if found.docstring else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _code(text: str) -> str:
    return f"```python\n{text}\n```"

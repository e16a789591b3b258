"""What a docstring and a signature look like on the site."""

from __future__ import annotations

from site_docstrings import as_markdown, wrapped
from site_links import drawable


def test_fields_become_a_list_behind_the_text() -> None:
    docstring = """Run it, as :func:`run` does with ``quiet``.

    :param first: what is
        run.
    :raises AError, BError: when not.
    """
    assert as_markdown(docstring).splitlines() == [
        "Run it, as `run` does with `quiet`.",
        "",
        "",
        "- `first`: what is",
        "  run.",
        "- raises `AError`, `BError`: when not.",
    ]


def test_a_short_signature_is_left_alone() -> None:
    assert wrapped("run(a: int, b: str) -> None") == "run(a: int, b: str) -> None"


def test_a_long_signature_has_a_line_for_each_parameter() -> None:
    head = "run(first: Mapping[str, int], second: tuple[int, str] = (1, ''), *, "
    long = f"{head}x: bool) -> Iterator[int]"
    assert wrapped(long).splitlines() == [
        "run(",
        "    first: Mapping[str, int],",
        "    second: tuple[int, str] = (1, ''),",
        "    *,",
        "    x: bool,",
        ") -> Iterator[int]",
    ]


def test_a_diagram_is_left_to_the_script_that_draws_it() -> None:
    text = "a\n```mermaid\nflowchart\n    a --> b\n```\nb\n"
    raw = '```{raw} html\n<pre class="mermaid">\nflowchart\n    a --&gt; b\n</pre>\n```'
    assert drawable(text) == f"a\n{raw}\nb\n"

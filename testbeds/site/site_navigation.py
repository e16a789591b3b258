"""Every page of the site, in the order of its navigation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

FRONT: Final = "README.md"
"""The page that opens the site; paths are relative to the repository."""

PACKAGES: Final = (
    "sk-kernel",
    "sk-config",
    "sk-transport",
    "sk-control",
    "sk-observability",
    "sk-supervisor",
    "sk-fundload",
)

MODULES: Final = (
    "sk_kernel",
    "sk_kernel.runtime",
    "sk_kernel.testing",
    "sk_config",
    "sk_transport",
    "sk_transport.testing",
    "sk_control",
    "sk_control.testing",
    "sk_observability",
    "sk_observability.testing",
    "sk_supervisor",
    "sk_supervisor.lifecycle",
    "sk_supervisor.testing",
)
"""The modules whose interface has a page; that of sk-fundload is its command."""

NAVIGATION: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Begin": (
            "docs/quickstart.md",
            "docs/tutorial.md",
            "testbeds/log_alerts/README.md",
        ),
        "Build": (
            "docs/nodes.md",
            "docs/sources.md",
            "docs/sinks.md",
            "docs/services.md",
            "docs/recipes.md",
            "docs/requests.md",
            "docs/failures.md",
            "docs/replay.md",
            "docs/testing.md",
            "docs/debugging.md",
            "docs/extending.md",
        ),
        "Operate": (
            "docs/operating.md",
            "docs/troubleshooting.md",
            "docs/kubernetes.md",
            "docs/metrics.md",
            "docs/jaeger.md",
            "docs/tracing.md",
            "docs/performance.md",
        ),
        "Reference": (
            "docs/configuration.md",
            "docs/cli.md",
            "docs/events.md",
            "docs/hooks.md",
            "docs/glossary.md",
        ),
        "Promises": (
            "docs/guarantees.md",
            "docs/security.md",
        ),
        "Internals": (
            "docs/architecture.md",
            "docs/lifecycle.md",
            "docs/control.md",
        ),
        "Packages": tuple(f"packages/{name}/README.md" for name in PACKAGES),
        "Project": (
            "CONTRIBUTING.md",
            "docs/releasing.md",
            "testbeds/fundload_4proc/README.md",
            "testbeds/attacks/README.md",
            "testbeds/bench/README.md",
        ),
    }
)
"""Pages of the repository, by section; the interfaces have pages besides."""


class UnlistedPageError(Exception):
    """A page of ``docs/`` is not in the navigation, or one that is listed is not there."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"site_navigation.py and the pages differ in: {', '.join(names)}")


def pages() -> list[str]:
    """The path of every page but the front."""
    return [path for section in NAVIGATION.values() for path in section]


def place(page: str) -> str:
    """The page's path on the site: pages of ``docs/`` are at its top."""
    if page == FRONT:
        return "index.md"
    path = page.removeprefix("docs/").removesuffix("/README.md")
    return path if path.endswith(".md") else f"{path}.md"


def places() -> dict[str, str]:
    """Every file of the repository that is on the site, with its path there.

    :raises UnlistedPageError: when the navigation and what is there differ.
    """
    there = {str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md")}
    listed = {page for page in pages() if page.startswith("docs/") or not (ROOT / page).exists()}
    if there != listed:
        raise UnlistedPageError(sorted(there ^ listed))
    attached = sorted(ROOT.glob("docs/**/*.yaml"))
    found = {page: place(page) for page in [FRONT, *pages()]}
    names = (str(path.relative_to(ROOT)) for path in attached)
    return found | {name: name.removeprefix("docs/") for name in names}

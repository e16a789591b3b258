"""What the page was made in: interpreter, platform, and what is installed."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

OURS = (
    "sk-kernel",
    "sk-config",
    "sk-transport",
    "sk-control",
    "sk-observability",
    "sk-supervisor",
    "sk-fundload",
)
OTHERS = ("msgspec", "pydantic", "cryptography", "grpcio", "protobuf", "psutil", "jinja2")


def this_environment() -> dict[str, str]:
    """Name interpreter and platform, and nothing that names the machine."""
    return {
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "System": f"{platform.system()} {platform.machine()}",
        "Cores": str(os.cpu_count() or "unknown"),
    }


def versions() -> dict[str, str]:
    """The packages of this project and what they rest on; one that is absent is left out."""
    found = {}
    for name in (*OURS, *OTHERS):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found

"""What keeps a run from answering the probes that it is configured for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from sk_kernel import Fault

if TYPE_CHECKING:
    from sk_config import Config

_NEEDS: Final = {"http": ("h11",), "grpc": ("grpc", "grpc_health")}
_EXTRA: Final = "the extra 'health': pip install 'sk-supervisor[health]'"


def health_faults(config: Config) -> list[Fault]:
    """A fault for each configured listener whose library is not installed; imports none of them."""
    health = config.runtime.platform.health
    wanted = {"http": health.http, "grpc": health.grpc}
    return [
        Fault(f"runtime.platform.health.{name}", "unavailable", _EXTRA)
        for name, listener in wanted.items()
        if listener is not None and not all(map(find_spec, _NEEDS[name]))
    ]

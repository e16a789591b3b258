"""What comes with each package, and what does not: the table that every installation is held to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

COMES_WITH: Mapping[str, frozenset[str]] = {
    "sk-kernel": frozenset({"msgspec"}),
    "sk-config": frozenset({"pydantic", "pydantic-core", "pyyaml"}),
    "sk-transport": frozenset({"cryptography"}),
    "sk-control": frozenset({"cryptography", "grpcio", "protobuf", "sk-transport"}),
    "sk-observability": frozenset({"msgspec", "sk-kernel"}),
    "sk-supervisor": frozenset(
        {
            *("click", "cryptography", "grpcio", "msgspec", "protobuf", "psutil"),
            *("pydantic", "pydantic-core", "pyyaml", "rich"),
            *("sk-config", "sk-control", "sk-kernel", "sk-observability", "sk-transport"),
        }
    ),
    "sk-fundload": frozenset(
        {"click", "msgspec", "pydantic", "pydantic-core", "pyyaml", "sk-config", "sk-kernel"}
    ),
}
"""By package: all of ``WATCHED`` that is installed with it when no extra is asked for."""

NEVER = frozenset(
    {
        *("grpcio-health-checking", "h11", "opentelemetry-api", "opentelemetry-sdk"),
        *("opentracing", "prometheus-client", "requests"),
        *("hypothesis", "pytest", "setuptools"),
    }
)
"""What comes with no package, extras aside."""

WATCHED = NEVER.union(COMES_WITH, *COMES_WITH.values())
"""What the table speaks of: the rest is what these bring for themselves."""

BROUGHT_BY_EXTRAS: Mapping[str, frozenset[str]] = {
    "sk-observability": frozenset(
        {"google", "grpc", "opentelemetry", "opentracing", "prometheus_client", "requests"}
    ),
    "sk-supervisor": frozenset({"grpc_health", "h11", "pytest"}),
}
"""By package: what some of its modules import that only its extras bring."""


def installation_faults(package: str, installed: Iterable[str]) -> list[str]:
    """Say what is installed with a package and should not be, or the other way round."""
    watched = WATCHED.intersection(installed) - {package}
    expected = COMES_WITH[package]
    return [
        *(f"{package} brings {name}, which the table excludes" for name in watched - expected),
        *(f"{package} does not bring {name}" for name in expected - watched),
    ]


def import_faults(package: str, failed: Mapping[str, str]) -> list[str]:
    """Say which modules cannot be imported without extras, for want of what no extra brings.

    ``failed`` has the missing module, or the error, of each module that could not be imported.
    """
    extras = BROUGHT_BY_EXTRAS.get(package, frozenset())
    return [
        f"{name} cannot be imported: {reason}"
        for name, reason in failed.items()
        if reason.split(".")[0] not in extras
    ]

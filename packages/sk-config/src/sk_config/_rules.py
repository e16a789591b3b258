"""The rules between fields, as pure functions over a mapping that may be malformed.

Pydantic runs a model's validators only once all its fields are good. These functions look at the
mapping itself, so that a fault in one block hides none in another; whatever is of the wrong type is
left to the check of its own field. The models call them too, so that no model that breaks a rule
can be constructed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import SecretStr

from sk_config._finding import Finding
from sk_config._path import Path
from sk_config._show import kind, show

MASK: Final = "**********"
"""What stands for a secret in a dump (pydantic's own mask)."""
SELECTORS: Final = ("nodes", "stages", "tags", "runners")
_PLATFORM: Final = ("runtime", "platform")


def cross_findings(config: object) -> Iterator[Finding]:
    """Check every rule of a whole configuration."""
    failure = _mapping(_mapping(config).get("runtime")).get("failure")
    yield from failure_findings(_mapping(failure), ("runtime", "failure"))
    yield from metrics_findings(_mapping(_mapping(config).get("runtime")), ("runtime",))
    platform = _mapping(_mapping(config).get("runtime")).get("platform")
    if not isinstance(platform, Mapping):
        return
    ipc = _mapping(platform.get("execution_ipc"))
    ipc_path = (*_PLATFORM, "execution_ipc")
    yield from auth_findings(_mapping(ipc.get("auth")), (*ipc_path, "auth"))
    control = _mapping(ipc.get("control"))
    yield from auth_findings(_mapping(control.get("auth")), (*ipc_path, "control", "auth"))
    for index, group in enumerate(_items(platform.get("process_groups"))):
        if isinstance(group, Mapping):
            yield from group_findings(group, (*_PLATFORM, "process_groups", index))
    yield from health_findings(_mapping(platform.get("health")), (*_PLATFORM, "health"))
    yield from platform_findings(platform, _PLATFORM)


def auth_findings(auth: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that a secret is given with `secret_mode: static`, and only then."""
    mode = auth.get("secret_mode", "generated")
    secret = auth.get("secret")
    path = (*path, "secret")
    if mode == "static" and secret is None:
        expected = "a secret, since secret_mode is static (best as ${ENV:NAME} or ${FILE:path})"
        yield Finding(path, "missing", expected, "nothing")
    if mode == "generated" and secret is not None:
        yield Finding(path, "conflict", "no secret unless secret_mode is static", kind(secret))
    text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
    if text == MASK:
        yield Finding(path, "bad_value", "the secret itself", "the mask that a dump shows")


def group_findings(group: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that a group selects something, names no node twice, and how it is restarted."""
    yield from restart_findings(_mapping(group.get("restart")), (*path, "restart"))
    if all(_is_empty(group.get(selector)) for selector in SELECTORS):
        expected = f"at least one of {', '.join(SELECTORS)}"
        yield Finding(path, "missing", expected, "a group that selects no node")
    seen: set[str] = set()
    for index, node in enumerate(_items(group.get("nodes"))):
        if isinstance(node, str):
            if node in seen:
                there = (*path, "nodes", index)
                yield Finding(there, "conflict", "every node once in a group", show(node))
            seen.add(node)


def failure_findings(failure: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check every policy, and that there is a file for dead letters if there can be any."""
    default = _mapping(failure.get("default"))
    own = _mapping(failure.get("nodes"))
    yield from policy_findings(default, (*path, "default"))
    for name, policy in own.items():
        yield from policy_findings(_mapping(policy), (*path, "nodes", name))
    every = [default, *(_mapping(policy) for policy in own.values())]
    writes = any(policy.get("policy") == "dead_letter" for policy in every)
    there, given = (*path, "dead_letter"), failure.get("dead_letter")
    if writes and given is None:
        yield Finding(there, "missing", "a path, since a policy is dead_letter", "nothing")
    if given is not None and not writes:
        yield Finding(there, "conflict", "nothing unless a policy is dead_letter", kind(given))


def policy_findings(failure: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that a node is called again only where a record can be given up."""
    attempts = failure.get("attempts", 1)
    if failure.get("policy", "fail") == "fail" and isinstance(attempts, int) and attempts > 1:
        expected = "1, since policy is fail (dead_letter and skip have attempts)"
        yield Finding((*path, "attempts"), "conflict", expected, show(attempts))


def health_findings(health: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that a delay has somebody to wait for, and that the listeners do not meet."""
    http, grpc = health.get("http"), health.get("grpc")
    delay = health.get("drain_delay_seconds", 0)
    if http is None and grpc is None and isinstance(delay, int) and delay > 0:
        expected = "0, since without http and grpc nobody hears that readiness has ended"
        yield Finding((*path, "drain_delay_seconds"), "conflict", expected, show(delay))
    port = _mapping(http).get("bind_port", 0)
    if port and port == _mapping(grpc).get("bind_port"):
        expected = "a port of its own, other than that of http (0 takes a free one)"
        yield Finding((*path, "grpc", "bind_port"), "conflict", expected, show(port))


def metrics_findings(runtime: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that there is a listener where metrics are to be answered."""
    metrics = _mapping(_mapping(runtime.get("observability")).get("metrics"))
    http = _mapping(_mapping(runtime.get("platform")).get("health")).get("http")
    if metrics.get("prometheus") is True and http is None:
        expected = "false, since without runtime.platform.health.http nobody can ask for metrics"
        there = (*path, "observability", "metrics", "prometheus")
        yield Finding(there, "conflict", expected, show(True))


def restart_findings(restart: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that the longest wait before a restart is not shorter than the first."""
    first, longest = restart.get("backoff_seconds", 0.2), restart.get("backoff_max_seconds", 10.0)
    numbers = all(isinstance(n, int | float) and not isinstance(n, bool) for n in (first, longest))
    if numbers and longest < first:
        expected = f"at least backoff_seconds ({first:g})"
        yield Finding((*path, "backoff_max_seconds"), "conflict", expected, show(longest))


def platform_findings(platform: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check what the groups share, and what `process_supervisor` needs."""
    groups = [_mapping(group) for group in _items(platform.get("process_groups"))]
    path_of_groups = (*path, "process_groups")
    yield from _duplicate_names(groups, path_of_groups)
    yield from _nodes_in_two_groups(groups, path_of_groups)
    if _mapping(platform.get("bootstrap")).get("mode") == "process_supervisor":
        yield from _supervisor_needs(platform, path)


def _duplicate_names(groups: list[Mapping[str, Any]], path: Path) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, group in enumerate(groups):
        name = group.get("name")
        if isinstance(name, str) and first.setdefault(name, index) != index:
            expected = f"a name of its own, other than that of process_groups[{first[name]}]"
            yield Finding((*path, index, "name"), "conflict", expected, show(name))


def _nodes_in_two_groups(groups: list[Mapping[str, Any]], path: Path) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, group in enumerate(groups):
        for place, node in enumerate(_items(group.get("nodes"))):
            if isinstance(node, str) and first.setdefault(node, index) != index:
                expected = f"a node in one group; process_groups[{first[node]}] names it too"
                yield Finding((*path, index, "nodes", place), "conflict", expected, show(node))


def _supervisor_needs(platform: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    ipc = _mapping(platform.get("execution_ipc"))
    transport = ipc.get("transport", "memory")
    reason = "since bootstrap.mode is process_supervisor"
    if transport != "tcp_local":
        there = (*path, "execution_ipc", "transport")
        yield Finding(there, "conflict", f"tcp_local, {reason}", show(transport))
    if ipc.get("control") is None:
        there = (*path, "execution_ipc", "control")
        yield Finding(
            there, "missing", f"a control plane ({{}} takes its defaults), {reason}", "nothing"
        )
    if _is_empty(platform.get("process_groups")):
        there = (*path, "process_groups")
        yield Finding(there, "missing", f"at least one process group, {reason}", "none")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: object) -> list[Any] | tuple[Any, ...]:
    return value if isinstance(value, list | tuple) else ()


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, list | tuple) and not value)

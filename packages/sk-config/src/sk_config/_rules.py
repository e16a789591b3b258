"""The rules between the fields of one block, and between related blocks.

Each is a pure function of a block's data, which may be malformed, and the block's path; it yields a
finding for every breach. The rules are called twice. `all_rules` calls them on the configuration's
data, since pydantic runs a model's validators only if all of its fields are valid, and a fault in
one block must not hide one in another. The models call them so that no model that breaks a rule can
be constructed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import SecretStr

from sk_config._finding import Finding
from sk_config._malformed import items_or_empty, mapping_or_empty
from sk_config._masking import MASK
from sk_config._path import Path
from sk_config._show import kind, show

LEAST_SECRET_BYTES: Final = 16


def auth_findings(auth: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that a secret is given if and only if `secret_mode` is static, and is long enough.

    An attacker who has seen one signed message could guess a secret of fewer than 128 bits.
    """
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
        yield Finding(path, "bad_value", "the secret itself", "the mask of a dump")
    elif isinstance(text, str) and 0 < len(text.encode("utf-8", "replace")) < LEAST_SECRET_BYTES:
        expected = f"at least {LEAST_SECRET_BYTES} bytes, such as those of `openssl rand -hex 32`"
        yield Finding(path, "bad_value", expected, "fewer")


def failure_findings(failure: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check every policy, and that `dead_letter` is set if and only if a policy writes there."""
    default = mapping_or_empty(failure.get("default"))
    own = mapping_or_empty(failure.get("nodes"))
    yield from policy_findings(default, (*path, "default"))
    for name, policy in own.items():
        yield from policy_findings(mapping_or_empty(policy), (*path, "nodes", name))
    every = [default, *(mapping_or_empty(policy) for policy in own.values())]
    writes = any(policy.get("policy") == "dead_letter" for policy in every)
    there, given = (*path, "dead_letter"), failure.get("dead_letter")
    if writes and given is None:
        yield Finding(there, "missing", "a path, since a policy is dead_letter", "nothing")
    if given is not None and not writes:
        yield Finding(there, "conflict", "nothing unless a policy is dead_letter", kind(given))


def policy_findings(failure: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that `attempts` is above 1 only with a policy that drops failed records."""
    attempts = failure.get("attempts", 1)
    if failure.get("policy", "fail") == "fail" and isinstance(attempts, int) and attempts > 1:
        expected = "1, since policy is fail: only dead_letter and skip repeat a call"
        yield Finding((*path, "attempts"), "conflict", expected, show(attempts))


def health_findings(health: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that a drain delay has an endpoint, and that the two endpoints' ports differ."""
    http, grpc = health.get("http"), health.get("grpc")
    delay = health.get("drain_delay_seconds", 0)
    if http is None and grpc is None and isinstance(delay, int) and delay > 0:
        expected = "0, or a listener (http or grpc) that shows the end of readiness"
        yield Finding((*path, "drain_delay_seconds"), "conflict", expected, show(delay))
    port = mapping_or_empty(http).get("bind_port", 0)
    if port and port == mapping_or_empty(grpc).get("bind_port"):
        expected = "another port than that of http (0 takes a free one)"
        yield Finding((*path, "grpc", "bind_port"), "conflict", expected, show(port))


def metrics_findings(runtime: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that there is an HTTP health listener if Prometheus metrics are enabled."""
    metrics = mapping_or_empty(mapping_or_empty(runtime.get("observability")).get("metrics"))
    http = mapping_or_empty(mapping_or_empty(runtime.get("platform")).get("health")).get("http")
    if metrics.get("prometheus") is True and http is None:
        expected = "false, or a listener runtime.platform.health.http, which serves the metrics"
        there = (*path, "observability", "metrics", "prometheus")
        yield Finding(there, "conflict", expected, show(True))


def module_findings(runtime: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that no discovery module is `__main__`, which is another module in a worker."""
    bootstrap = mapping_or_empty(mapping_or_empty(runtime.get("platform")).get("bootstrap"))
    if bootstrap.get("mode") != "process_supervisor":
        return
    for index, module in enumerate(items_or_empty(runtime.get("discovery_modules"))):
        if module == "__main__":
            expected = (
                "a module that workers can import by its name (in a worker, __main__ is another)"
            )
            yield Finding((*path, "discovery_modules", index), "conflict", expected, show(module))


def restart_findings(restart: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that the longest wait before a restart is not shorter than the first."""
    first, longest = restart.get("backoff_seconds", 0.2), restart.get("backoff_max_seconds", 10.0)
    numbers = all(isinstance(n, int | float) and not isinstance(n, bool) for n in (first, longest))
    if numbers and longest < first:
        expected = f"at least backoff_seconds ({first:g})"
        yield Finding((*path, "backoff_max_seconds"), "conflict", expected, show(longest))

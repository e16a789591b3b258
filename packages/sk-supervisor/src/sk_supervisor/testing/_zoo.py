"""Run an application by ``sk run``, in a process of its own, with a beast in one of its nodes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sk_kernel import Fault

from sk_supervisor.errors import RunRefusedError
from sk_supervisor.testing._beasts import (
    BEASTS,
    HEARTBEAT_SECONDS,
    SLACK_SECONDS,
    STOP_SECONDS,
    Beast,
)
from sk_supervisor.testing._infested import VARIABLE
from sk_supervisor.testing._leftovers import marked
from sk_supervisor.testing._visit import Visit, read_events

#: A run that takes longer is killed, and its visit fails the check.
PATIENCE_SECONDS: Final = 90.0
_LOOK_SECONDS: Final = 0.02
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


class Zoo:
    """Run an application with a hostile behaviour, a beast, in one of its nodes.

    :param folder: the folder for the zoo's files; it is created.
    :param slack_seconds: the allowance added to every time that a beast promises; give more on a
        busy machine, such as those of a CI.
    """

    def __init__(self, folder: Path, *, slack_seconds: float = SLACK_SECONDS) -> None:
        self._folder, self._slack_seconds = folder, slack_seconds
        self._visits = 0

    def run(
        self,
        config: Path | str | Mapping[str, Any],
        *,
        node: str,
        beast: Beast | str,
        at: int = 1,
        overrides: Mapping[str, Any] = _NONE,
    ) -> Visit:
        """Run a configuration of worker processes with a beast in a node; return the outcome.

        The beast is released on the ``at``-th record that ``node`` gets in a worker. The run is a
        process of its own. Its groups get short time limits, and its log exporters are replaced.
        The rest is as configured: the sink writes to its real destination, unless ``overrides``
        say otherwise.

        :param config: the path of a configuration, or a configuration as a mapping.
        :param overrides: values to set in it, by their paths, as ``--set`` does.
        :raises ConfigError: if the configuration is invalid.
        :raises RunRefusedError: if the configuration cannot run, there is no such node or beast, or
            the beast needs restarts and the group of the node cannot be restarted.
        """
        beast = _called(beast) if isinstance(beast, str) else beast
        self._visits += 1
        den = self._folder / f"{self._visits}-{beast.name}"
        den.mkdir(parents=True)
        path = _written(config, den)
        own = _options(overrides)
        group, others = _prepared(path, own, node, beast, den / "events.jsonl")
        told = {"beast": beast.name, "group": group, "node": node, "at": at, "folder": str(den)}
        mark = json.dumps(told)
        stderr = den / "stderr"
        with stderr.open("wb") as file:
            code = _run(_words(path, [*own, *others]), mark, den, file.fileno(), beast)
        left = marked(VARIABLE, mark)
        return Visit(
            beast=beast,
            group=group,
            node=node,
            at=at,
            exit_code=code,
            stderr=stderr.read_text("utf-8", "replace")[-4000:],
            events=read_events(den / "events.jsonl"),
            out_at=_announced(den),
            left=tuple(left),
            slack_seconds=self._slack_seconds,
        )


def _called(name: str) -> Beast:
    if name not in BEASTS:
        raise RunRefusedError(
            [Fault("beast", "unknown_beast", f"one of {', '.join(BEASTS)}", name)]
        )
    return BEASTS[name]


def _written(config: Path | str | Mapping[str, Any], den: Path) -> str:
    if not isinstance(config, Mapping):
        return str(config)
    path = den / "config.json"
    path.write_text(json.dumps(config), "utf-8")
    return str(path)


def _options(values: Mapping[str, Any]) -> list[str]:
    return [f"{key}={json.dumps(value)}" for key, value in values.items()]


def _words(path: str, options: Iterable[str]) -> list[str]:
    """The arguments of ``sk`` that run the configuration."""
    return ["run", path, *(word for option in options for word in ("--set", option))]


def _prepared(
    path: str, overrides: Iterable[str], node: str, beast: Beast, events: Path
) -> tuple[str, list[str]]:
    """The group of the node, and the overrides that release the beast in the run."""
    # Imported here: workers import this package and do not need these modules.
    from sk_config import load_config

    from sk_supervisor._plan.preflight import prepare

    config = load_config(path, overrides)
    prepared = prepare(config, run_checks=False)
    known = prepared.application.graph.nodes
    if node not in known:
        wanted = f"one of {', '.join(sorted(known))}"
        raise RunRefusedError([Fault("node", "unknown_node", wanted, node)])
    group = prepared.plan.group_of[node]
    groups = [g.model_dump(mode="json") for g in config.runtime.platform.process_groups]
    for settings in groups:
        settings["heartbeat_seconds"] = HEARTBEAT_SECONDS
        settings["stop_timeout_seconds"] = STOP_SECONDS
        if settings["name"] == group:
            settings.update(beast.settings)
    modules = ["sk_supervisor.testing._infested", *config.runtime.discovery_modules]
    values: dict[str, Any] = {
        "runtime.discovery_modules": modules,
        "runtime.platform.process_groups": groups,
        "runtime.observability.logging": {
            "exporters": [{"kind": "jsonl", "settings": {"path": str(events)}}]
        },
    }
    options = _options(values)
    prepare(load_config(path, [*overrides, *options]), run_checks=False)
    return group, options


def _run(arguments: list[str], mark: str, den: Path, stderr: int, beast: Beast) -> int:
    search = os.pathsep.join(entry for entry in sys.path if entry)
    process = subprocess.Popen(
        [sys.executable, "-m", "sk_supervisor", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env={**os.environ, VARIABLE: mark, "PYTHONPATH": search},
    )
    end = time.monotonic() + PATIENCE_SECONDS
    try:
        if beast.needs_stop:
            while process.poll() is None and not _announced(den) and time.monotonic() < end:
                threading.Event().wait(_LOOK_SECONDS)
            process.send_signal(signal.SIGTERM)
        return process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL
    finally:
        process.kill()
        process.wait()


def _announced(den: Path) -> tuple[float, ...]:
    words = (path for path in den.glob("out-*") if path.suffix != ".new")
    return tuple(sorted(float(path.read_text("ascii")) for path in words))

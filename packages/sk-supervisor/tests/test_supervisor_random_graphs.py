"""The law of the project, over real processes: a graph gives the same bytes wherever it runs."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from random_behaviour import Numbers
from random_behaviour import given as given_by_source
from random_graphs import RandomGraph, graphs
from sk_config import Config, build_config
from sk_kernel import MovedKeyError, PreflightError
from sk_kernel.runtime import SINK, ApplicationContext, make_plan, single_group
from sk_kernel.testing import run_application, run_placed
from sk_supervisor import RunRefusedError, prepare, run
from sk_supervisor._plan.preflight import application_spec

MODULE = "declared_random_graph"
FEW = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
ALIKE = settings(deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def declared(graph: RandomGraph) -> Iterator[Path]:
    """Its module, in a folder that workers look in as this process does."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{MODULE}.py").write_text(graph.text, "utf-8")
        sys.path.insert(0, folder)
        try:
            yield Path(folder)
        finally:
            sys.path.remove(folder)
            sys.modules.pop(MODULE, None)


def configured(graph: RandomGraph, target: Path, groups: list[dict[str, Any]]) -> Config:
    tcp = {"transport": "tcp_local"}
    target.touch()
    return build_config(
        {
            "version": 1,
            "scenario": "random",
            "runtime": {
                "discovery_modules": [MODULE],
                "platform": {
                    "bootstrap": {"mode": "process_supervisor" if groups else "inline"},
                    "execution_ipc": {**tcp, "control": tcp} if groups else {},
                    "process_groups": groups,
                    "batch": {"max_records": graph.batch},
                },
            },
            "adapters": {
                "source": {"name": "in", "settings": {"count": graph.records, "keys": graph.keys}},
                "sink": {"name": "out", "settings": {"path": str(target)}},
            },
        }
    )


def placed(graph: RandomGraph, config: Config) -> list[dict[str, Any]]:
    """The groups that it is drawn to be run in: what shares a state is together."""
    context = ApplicationContext(application_spec(config))
    groups: dict[int, list[str]] = {}
    whole = make_plan(context.graph, single_group(context.graph), context.all_states)
    *numbers, last = graph.groups
    units = [unit for unit in whole.segments[0].units if unit != (SINK,)]
    for unit, number in (*zip(units, numbers, strict=False), ((SINK,), last)):
        groups.setdefault(number, []).extend(unit)
    return [
        {"name": f"g{number}", "nodes": nodes, "workers": graph.workers[number]}
        for number, nodes in sorted(groups.items())
    ]


def allowed(graph: RandomGraph, target: Path, groups: list[dict[str, Any]]) -> Config:
    """The configuration in which each group has the workers drawn, or one where it must."""
    for group in groups:
        others = [{**other, "workers": 1} for other in groups if other is not group]
        try:
            prepare(configured(graph, target, [group, *others]))
        except RunRefusedError:
            if group["workers"] == 1:
                raise
            group["workers"] = 1
    return configured(graph, target, groups)


def gives_the_same(graph: RandomGraph) -> None:
    """Or ends with the error that says that a node has changed the key that workers share by."""
    with declared(graph) as folder:
        alone, apart = folder / "alone.txt", folder / "apart.txt"
        config = configured(graph, alone, [])
        assert run(config, run_id="r", quiet=True) == 0
        over = allowed(graph, apart, placed(graph, config))
        groups = over.runtime.platform.process_groups
        event(f"{len(groups)} groups, up to {max(g.workers for g in groups)} workers")
        shown = io.StringIO()
        with redirect_stderr(shown):
            code = run(over, run_id="r", quiet=True)
        if code and any(node.moves for node in graph.nodes):
            assert code == 4, shown.getvalue()
            assert "changed 'key'" in shown.getvalue()
            return
        assert code == 0, shown.getvalue()
        assert apart.read_text("utf-8") == alone.read_text("utf-8")


@pytest.mark.contract("P5PRE-HANDOFF-04", "P5PRE-EXEC-05")
@FEW
@given(graph=graphs())
def test_random_graphs_give_the_same_in_memory_and_over_processes(graph: RandomGraph) -> None:
    gives_the_same(graph)


@pytest.mark.contract("P5PRE-EXEC-05")
@ALIKE
@given(graph=graphs(shared=True))
def test_random_graphs_give_the_same_without_processes_or_say_that_a_key_was_changed(
    graph: RandomGraph,
) -> None:
    payloads = given_by_source(Numbers(graph.records, graph.keys))
    with declared(graph) as folder:
        groups = placed(graph, configured(graph, folder / "none.txt", []))
        placement = {name: group["name"] for group in groups for name in group["nodes"]}
        workers: dict[str, int] = {}
        for group in groups:
            several = {group["name"]: group["workers"]}
            with suppress(PreflightError):
                run_placed([MODULE], [], placement, workers=several)
                workers |= several
        alone = run_application([MODULE], payloads, batch_records=graph.batch)
        try:
            apart = run_placed(
                [MODULE], payloads, placement, workers=workers, batch_records=graph.batch
            )
        except MovedKeyError as error:
            event("a key was changed")
            named = set(error.nodes)
        else:
            assert apart == alone
            return
        assert named & {node.name for node in graph.nodes if node.moves}


@pytest.mark.soak
@MANY
@given(graph=graphs())
def test_a_hundred_random_graphs_give_the_same_in_memory_and_over_processes(
    graph: RandomGraph,
) -> None:
    gives_the_same(graph)

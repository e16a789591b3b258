"""An execution plan as a Mermaid flowchart: groups as boxes, hops between them as thick arrows."""

from __future__ import annotations

from collections.abc import Iterator

from sk_kernel.runtime import SINK, SOURCE, ExecutionPlan


def flowchart(plan: ExecutionPlan) -> str:
    """The flowchart of a plan, as Mermaid text that ends with a newline."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: ExecutionPlan) -> Iterator[str]:
    graph = plan.graph
    number = {name: f"n{i}" for i, name in enumerate(graph.order)}
    yield "flowchart LR"
    workers = {s.group: s.workers for s in plan.segments}
    for i, (group, several) in enumerate(workers.items()):
        times = f" x {several}" if several > 1 else ""
        yield f'    subgraph g{i}["{group}{times}"]'
        for name in graph.order:
            if plan.group_of[name] == group:
                yield f"        {number[name]}{_shape(plan, name)}"
        yield "    end"
    for edge in sorted(graph.edges, key=lambda e: graph.order.index(e.producer)):
        hop = plan.group_of[edge.producer] != plan.group_of[edge.consumer]
        arrow = "==>" if hop else "-->"
        ends = number[edge.producer], number[edge.consumer]
        yield f'    {ends[0]} {arrow}|"{edge.payload.name}"| {ends[1]}'


def _shape(plan: ExecutionPlan, name: str) -> str:
    bridges = {vertex: bridge for bridge, vertex in plan.graph.bridges().items()}
    if name == SOURCE:
        steps = [name, bridges[name]] if name in bridges else [name]
        return f'(["{"<br/>".join(steps)}"])'
    if name == SINK:
        steps = [bridges[name], name] if name in bridges else [name]
        return f'(["{"<br/>".join(steps)}"])'
    return f'["{name}"]'

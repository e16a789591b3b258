"""Where in a plan what a node makes goes to. Pure."""

from __future__ import annotations

from sk_kernel.runtime import ExecutionPlan


def leads_to(plan: ExecutionPlan, node: str) -> frozenset[int]:
    """The segments that what a node makes comes to from its own, by whatever nodes of that.

    They are all that follow its own, where it leads to none of them.
    """
    own, graph = plan.segment_of(node), plan.graph
    reached, to_visit = {node}, [node]
    while to_visit:
        behind = {edge.consumer for edge in graph.edges_from(to_visit.pop())} - reached
        reached |= behind
        to_visit += [name for name in behind if name in own.vertices]
    others = frozenset(plan.segment_of(name).index for name in reached) - {own.index}
    return others or frozenset(own.downstream)

"""The segments that receive the records of a node. Pure."""

from __future__ import annotations

from sk_kernel.runtime import ExecutionPlan


def leads_to(plan: ExecutionPlan, node: str) -> frozenset[int]:
    """The segments that a node's output reaches, directly or through nodes of its own segment.

    If it reaches none, they are all segments directly downstream of its own.
    """
    own, graph = plan.segment_of(node), plan.graph
    reached, to_visit = {node}, [node]
    while to_visit:
        behind = {edge.consumer for edge in graph.edges_from(to_visit.pop())} - reached
        reached |= behind
        to_visit += [name for name in behind if name in own.vertices]
    others = frozenset(plan.segment_of(name).index for name in reached) - {own.index}
    return others or frozenset(own.downstream)

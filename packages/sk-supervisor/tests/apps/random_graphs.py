"""Random graphs of random nodes, as modules that a worker can import."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from random_behaviour import TYPES

STATES = 2


@dataclass(frozen=True)
class RandomNode:
    """How one node behaves; its states are keyed, or one for all.

    One that ``moves`` gives some of its payloads another key.
    """

    name: str
    consumes: tuple[int, ...]
    emits: tuple[int, ...]
    kind: str  # one | maybe | many
    states: tuple[int, ...]
    finishes: bool
    moves: bool

    @property
    def text(self) -> str:
        """The node as a user would write it."""
        inner = " | ".join(f"P{i}" for i in self.emits)
        gives = {"one": inner, "maybe": f"{inner} | None", "many": f"list[{inner}]"}[self.kind]
        takes = " | ".join(f"P{i}" for i in self.consumes)
        given = "".join(f", s{i}: S{i}" for i in self.states)
        lines = [
            f"@node(name={self.name!r})",
            f"class {self.name.upper()}:",
            f"    def __init__(self{given}) -> None:",
            f"        self.logs = [{', '.join(f's{i}.log' for i in self.states)}]",
            "        self.count = 0",
            f"    def __call__(self, payload: {takes}) -> {gives}:",
            "        self.count += 1",
            f"        return behave({self.name!r}, {self.kind!r}, {self.emits},"
            f" {self.moves}, payload, self.logs)",
        ]
        if self.finishes:
            lines += [
                f"    def finish(self) -> P{self.emits[0]}:",
                f"        return end({self.emits}, self.count)",
            ]
        return "\n".join(lines)


@dataclass(frozen=True)
class RandomGraph:
    """An application, and where its nodes and adapters go: a group for each, by its number."""

    nodes: tuple[RandomNode, ...]
    sink: tuple[int, ...]
    keyed: tuple[bool, ...]
    groups: tuple[int, ...]
    workers: tuple[int, ...]
    records: int
    keys: int
    batch: int

    @property
    def text(self) -> str:
        """The module that declares it."""
        states = "\n".join(
            f"@state(key={'key' if keyed else None!r})\nclass S{i}:\n"
            "    def __init__(self):\n        self.log = {}"
            for i, keyed in enumerate(self.keyed)
        )
        sink = " | ".join(f"P{i}" for i in self.sink)
        names = ", ".join(f"P{i}" for i in range(TYPES))
        return "\n".join(
            [
                "from collections.abc import Iterator",
                f"from random_behaviour import Numbers, Target, behave, end, given, {names}",
                "from sk_kernel import node, sink, source, state",
                "@source(name='in')",
                "def numbers(settings: Numbers) -> Iterator[P0]:",
                "    yield from given(settings)",
                "@sink(name='out')",
                f"def out(payload: {sink}, settings: Target) -> None:",
                "    with open(settings.path, 'a') as file:",
                "        file.write(f'{payload}\\n')",
                states,
                *(node.text for node in self.nodes),
            ]
        )


@st.composite
def graphs(draw: st.DrawFn, *, shared: bool = False) -> RandomGraph:
    """Acyclic graphs in which every node is reached and every type is consumed.

    :param shared: whether all states are keyed and the nodes in few groups, which workers share:
        else few graphs are such that a changed key does harm.
    """
    available = {0}
    nodes: list[RandomNode] = []
    for number in range(draw(st.integers(1, 5))):
        low = sorted(k for k in available if k < TYPES - 1)
        consumes = draw(st.lists(st.sampled_from(low), min_size=1, max_size=2, unique=True))
        higher = st.integers(max(consumes) + 1, TYPES - 1)
        emits = draw(st.lists(higher, min_size=1, max_size=2, unique=True))
        nodes.append(
            RandomNode(
                name=f"n{number}",
                consumes=tuple(sorted(consumes)),
                emits=tuple(emits),
                kind=draw(st.sampled_from(["one", "maybe", "many"])),
                states=tuple(sorted(draw(st.sets(st.integers(0, STATES - 1), max_size=1)))),
                finishes=not shared and draw(st.integers(0, 5)) == 0,
                moves=draw(st.integers(0, 3)) == 0,
            )
        )
        available |= set(emits)
    consumed = {k for node in nodes for k in node.consumes}
    extra = draw(st.sets(st.sampled_from(sorted(available))))
    return RandomGraph(
        nodes=tuple(draw(st.permutations(nodes))),
        sink=tuple(sorted((available - consumed) | extra)),
        keyed=(shared or draw(st.integers(0, 3)) > 0, shared or draw(st.booleans())),
        groups=_groups(draw, len(nodes), shared=shared),
        workers=tuple(draw(st.integers(2 if shared else 1, 3)) for _ in range(4)),
        records=draw(st.integers(0, 200)),
        keys=draw(st.integers(1, 12)),
        batch=draw(st.integers(1, 64)),
    )


def _groups(draw: st.DrawFn, nodes: int, *, shared: bool) -> tuple[int, ...]:
    """Of the source, of each unit in its order, and of the sink where each is one node."""
    if not shared:
        return tuple(draw(st.integers(0, 3)) for _ in range(nodes + 2))
    return (2, *(draw(st.integers(0, 1)) for _ in range(nodes)), 3)

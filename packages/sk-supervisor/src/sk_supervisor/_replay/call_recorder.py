"""An application whose node calls are recorded: inputs, outputs, and changes of states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import isgenerator
from typing import Any

from sk_kernel.runtime import ApplicationContext, Container


@dataclass(frozen=True, slots=True)
class StateSeen:
    """An entry of a state before and after a call, as text; empty if it did not exist."""

    state: str
    key: str
    before: str
    after: str


@dataclass(slots=True)
class RecordedCall:
    """One call of a node, or a payload that the sink received."""

    node: str
    payload: Any
    output: Any = None
    error: Exception | None = None
    states: list[StateSeen] = field(default_factory=list)


@dataclass(slots=True)
class CallRecorder:
    """Records calls while it is ``armed``."""

    armed: bool = False
    calls: list[RecordedCall] = field(default_factory=list)


class RecordedApplication(ApplicationContext):
    """The application of ``context`` under another ``spec``; it records the calls of its nodes."""

    def __init__(self, context: ApplicationContext, spec: Any, recorder: CallRecorder) -> None:
        super().__init__(spec, catalogue=context.catalogue)
        self._recorder = recorder

    def make_node(self, name: str, container: Container) -> Any:
        """See the base; the node's callable or instance is wrapped, and its calls are recorded."""
        target = super().make_node(name, container)
        keys = self.state_keys
        held = [(container.resolve(cls), keys[cls]) for cls in self.states_of(name)]
        kind = _AsyncRecordedNode if self.graph.nodes[name].is_async else _RecordedNode
        return kind(name, target, held, self._recorder)


class _RecordedNode:
    def __init__(
        self, name: str, target: Any, states: list[tuple[Any, str | None]], recorder: CallRecorder
    ) -> None:
        self._name, self._target, self._states, self._recorder = name, target, states, recorder
        self.finish: Callable[[], Any] = getattr(target, "finish", lambda: None)

    def __call__(self, payload: Any, **named: Any) -> Any:
        if not self._recorder.armed:
            return self._target(payload, **named)
        with self._recorded(payload) as call:
            output = self._target(payload, **named)
            call.output = list(output) if isgenerator(output) else output
        return call.output

    @contextmanager
    def _recorded(self, payload: Any) -> Iterator[RecordedCall]:
        """Record the call made in the block; yield the entry, whose ``output`` the block sets."""
        call = RecordedCall(self._name, payload)
        self._recorder.calls.append(call)
        before = [glimpse(state, _key(payload, key)) for state, key in self._states]
        try:
            yield call
        except Exception as error:
            call.error = error
            raise
        finally:
            self._ended(call, before)

    def _ended(self, call: RecordedCall, before: list[str]) -> None:
        for (state, name), earlier in zip(self._states, before, strict=True):
            key = _key(call.payload, name)
            shown = "" if key is None else repr(key[0])
            after = glimpse(state, key)
            call.states.append(StateSeen(type(state).__qualname__, shown, earlier, after))


class _AsyncRecordedNode(_RecordedNode):
    async def __call__(self, payload: Any, **named: Any) -> Any:
        if not self._recorder.armed:
            return await self._target(payload, **named)
        with self._recorded(payload) as call:
            call.output = await self._target(payload, **named)
        return call.output


#: The value of a state's key, in a tuple; None for a global state.
Held = tuple[Any] | None


def _key(payload: Any, name: str | None) -> Held:
    return None if name is None else (getattr(payload, name),)


def glimpse(state: Any, key: Held) -> str:
    """Describe what a state holds under a key: in itself, or in its attributes that are mappings.

    Attributes other than mappings are always included. Collections among them, and the mappings of
    a global state, are shown only by their sizes.
    """
    if isinstance(state, Mapping):
        return _entry(state, key)
    shown = []
    for name, value in _attributes(state):
        if not isinstance(value, Mapping) or key is None:
            shown.append(f"{name}={_sized(value)}")
        elif key[0] in value:
            shown.append(f"{name}={value[key[0]]!r}")
    return ", ".join(shown)


def _entry(state: Mapping[Any, Any], key: Held) -> str:
    if key is None:
        return _sized(state)
    return repr(state[key[0]]) if key[0] in state else ""


def _sized(value: Any) -> str:
    counted = hasattr(value, "__len__") and not isinstance(value, str | bytes)
    return f"<{type(value).__name__} of {len(value)}>" if counted else repr(value)


def _attributes(state: Any) -> Iterator[tuple[str, Any]]:
    slots = [name for cls in type(state).__mro__ for name in getattr(cls, "__slots__", ())]
    for name in (*slots, *getattr(state, "__dict__", ())):
        if hasattr(state, name) and not name.startswith("__"):
            yield name, getattr(state, name)

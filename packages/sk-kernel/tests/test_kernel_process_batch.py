"""``process_batch``: many payloads in one call, with the same result and the same blame."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest
from kernel_spans import Collected
from sk_kernel import (
    ApplicationSpec,
    FailureSpec,
    NodeFailedError,
    NodeFailure,
    NodeOutputError,
)
from sk_kernel.testing import run_application, run_node

FASTER = """
calls = []

@state(key=None)
class Seen: ...

class Both:
    def __call__(self, a: A) -> B | None:
        calls.append(a.n)
        if a.n in bad: raise ValueError("secret")
        return B(a.n) if a.n % 5 else None
    def process_batch(self, payloads: Sequence[A]) -> list[B | None]:
        calls.append([a.n for a in payloads])
        return at_once(payloads)

@node
class Double(Both):
    def __init__(self, seen: Seen | None) -> None: ...
    @classmethod
    def states(cls): return (Seen,) if stateful else ()
"""


@pytest.fixture
def made(declare: Any) -> Any:
    """Declares a node with both forms; ``bad`` are the numbers that ``__call__`` raises on."""

    def build(bad: Sequence[int] = (), at_once: Any = None, stateful: bool = False) -> Any:
        def right(payloads: Sequence[Any]) -> list[Any]:
            if any(a.n in bad for a in payloads):
                raise KeyError("secret")
            return [module.B(a.n) if a.n % 5 else None for a in payloads]

        module = declare(FASTER, bad=bad, at_once=at_once or right, stateful=stateful)
        return module

    return build


def _run(module: Any, last: int, **options: Any) -> list[int]:
    """The numbers that the sink gets of 1 to ``last``."""
    payloads = [module.A(n) for n in range(1, last + 1)]
    policy, attempts = options.pop("policy", "fail"), options.pop("attempts", 1)
    spec = ApplicationSpec(
        scenario="test",
        discovery_modules=[module.__name__],
        failure=FailureSpec(default=NodeFailure(policy=policy, attempts=attempts)),
    )
    return [b.n for b in run_application(spec, payloads, **options)]


def test_several_payloads_come_at_once_and_one_alone_comes_by_itself(made: Any) -> None:
    module = made()
    assert _run(module, 7, batch_records=3) == [1, 2, 3, 4, 6, 7]
    assert module.calls == [[1, 2, 3], [4, 5, 6], 7]


def test_a_node_that_uses_a_state_is_given_its_payloads_one_by_one(made: Any) -> None:
    module = made(stateful=True)
    assert _run(module, 3) == [1, 2, 3]
    assert module.calls == [1, 2, 3]


def test_the_record_that_call_raises_on_is_to_blame(made: Any) -> None:
    with pytest.raises(NodeFailedError, match="'double' raised ValueError on record 3") as caught:
        _run(made(bad=[3, 4]), 6)
    assert caught.value.record == 3


def test_what_raises_for_no_record_alone_is_a_failure_of_process_batch(made: Any) -> None:
    def broken(payloads: Sequence[Any]) -> list[Any]:
        raise LookupError("secret")

    with pytest.raises(NodeFailedError, match=r"raised LookupError in process_batch$") as caught:
        _run(made(at_once=broken), 4)
    assert isinstance(caught.value.__cause__, LookupError)


def test_what_ends_the_process_ends_it_at_once(made: Any) -> None:
    def interrupted(payloads: Sequence[Any]) -> list[Any]:
        raise KeyboardInterrupt

    module = made(at_once=interrupted)
    with pytest.raises(KeyboardInterrupt):
        _run(module, 4)
    assert module.calls == [[1, 2, 3, 4]]


@pytest.mark.parametrize("ratio", [0.0, 0.5])
def test_another_number_of_results_than_of_payloads_is_refused(made: Any, ratio: float) -> None:
    module = made(at_once=lambda payloads: [module.B(1)])
    problem = r"'double' returned 1 result from process_batch for \d payloads$"
    with pytest.raises(NodeOutputError, match=problem):
        _run(module, 9, observers=[Collected()], sampling_ratio=ratio)


def test_a_policy_gives_up_the_record_at_fault_and_no_other(made: Any) -> None:
    assert _run(made(bad=[2, 4]), 6, policy="skip") == [1, 3, 6]


def test_with_further_attempts_a_failure_of_process_batch_alone_is_the_first_of_them(
    made: Any,
) -> None:
    module = made(at_once=lambda payloads: payloads[99])
    assert _run(module, 6, policy="skip", attempts=2) == [1, 2, 3, 4, 6]


def test_a_process_batch_that_always_fails_is_told_of_once(
    made: Any, caplog: pytest.LogCaptureFixture
) -> None:
    module = made(at_once=lambda payloads: payloads[99])
    assert _run(module, 9, policy="skip", attempts=2, batch_records=3) == [1, 2, 3, 4, 6, 7, 8, 9]
    (told,) = (record for record in caplog.records if record.name == "sk_kernel")
    assert told.levelname == "WARNING"
    assert told.getMessage().startswith("process_batch of 'double' raised IndexError where no")


def test_a_process_batch_that_fails_for_a_record_that_does_is_not_told_of(
    made: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert _run(made(bad=[2]), 3, policy="skip", attempts=2) == [1, 3]
    assert not [record for record in caplog.records if record.name == "sk_kernel"]


def test_a_record_that_a_further_attempt_saves_is_to_blame_for_its_batch(made: Any) -> None:
    class Once(set[int]):
        def __contains__(self, n: object) -> bool:
            return n == 3 and not (self or self.add(3))

    module = made(at_once=lambda payloads: payloads[99])
    module.bad = Once()
    assert _run(module, 6, policy="skip", attempts=2) == [1, 2, 3, 4, 6]


def test_the_list_of_payloads_is_the_nodes_own(made: Any) -> None:
    module = made(at_once=lambda payloads: [module.B(payloads.pop(0).n) for _ in range(3)])
    assert _run(module, 3) == [1, 2, 3]


@pytest.mark.parametrize("attempts", [1, 2])
def test_what_is_no_list_of_results_ends_the_run_under_any_policy(made: Any, attempts: int) -> None:
    module = made(at_once=lambda payloads: None)
    with pytest.raises(NodeOutputError, match="'double' returned NoneType from process_batch"):
        _run(module, 3, policy="skip", attempts=attempts)


def test_under_a_policy_a_failure_of_process_batch_alone_ends_the_run(made: Any) -> None:
    module = made(at_once=lambda payloads: payloads[99])
    with pytest.raises(NodeFailedError, match="IndexError in process_batch"):
        _run(module, 6, policy="skip")


@pytest.mark.parametrize("ratio", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("policy", ["fail", "skip"])
def test_a_batch_is_called_as_a_whole_however_many_of_it_are_sampled(
    made: Any, ratio: float, policy: str
) -> None:
    module, numbers = made(), list(range(1, 31))
    observed = {"observers": [Collected()], "sampling_ratio": ratio}
    assert _run(module, 30, policy=policy, **observed) == [n for n in numbers if n % 5]
    assert module.calls == [numbers]


def test_the_span_of_each_sampled_record_has_the_times_of_the_one_call(made: Any) -> None:
    called: list[int] = []

    def at_once(payloads: Sequence[Any]) -> list[Any]:
        called.append(time.time_ns())
        return [module.B(a.n) for a in payloads]

    module, observer = made(at_once=at_once), Collected()
    _run(module, 30, observers=[observer], sampling_ratio=0.2)
    spans = [span for span in observer.spans if span.name == "double"]
    assert 1 < len(spans) < 30
    [(start, end)] = {(span.start_ns, span.end_ns) for span in spans}
    assert start <= called[0] <= end


@pytest.mark.parametrize("policy", ["fail", "skip"])
def test_where_it_raised_each_sampled_record_has_the_times_of_its_own_call(
    made: Any, policy: str
) -> None:
    observer = Collected()
    fails = {"policy": policy, "observers": [observer], "sampling_ratio": 1.0}
    if policy == "fail":
        with pytest.raises(NodeFailedError, match=r"ValueError on record 7$"):
            _run(made(bad=[7]), 9, **fails)
    else:
        assert _run(made(bad=[7]), 9, **fails) == [1, 2, 3, 4, 6, 8, 9]
    spans = {span.sequence: span for span in observer.spans if span.name == "double"}
    assert list(spans) == list(range(1, 8 if policy == "fail" else 10))
    assert {n for n, span in spans.items() if span.error} == {7}
    times = [time_ns for span in spans.values() for time_ns in (span.start_ns, span.end_ns)]
    assert times == sorted(times)


def test_a_span_of_a_sampled_record_that_raises_has_the_error(made: Any) -> None:
    module, observer = made(), Collected()
    _run(module, 30, observers=[observer], sampling_ratio=0.2)
    sampled = next(span.sequence for span in observer.spans if span.name == "double")
    failing, observer = made(bad=[sampled]), Collected()
    with pytest.raises(NodeFailedError, match=f"ValueError on record {sampled}$"):
        _run(failing, 30, observers=[observer], sampling_ratio=0.2)
    (error,) = {span.error for span in observer.spans if span.error}
    assert error == "ValueError"


def test_the_first_record_that_raises_is_to_blame_also_where_some_are_sampled(made: Any) -> None:
    with pytest.raises(NodeFailedError, match=r"ValueError on record 4$"):
        _run(made(bad=range(4, 31)), 30, observers=[Collected()], sampling_ratio=0.2)


def test_the_test_kit_tries_both_forms(made: Any) -> None:
    module = made()
    assert run_node(module.Double, module.A(1), module.A(5)) == [module.B(1)]
    assert module.calls == [1, 5, [1, 5]]


def test_the_test_kit_calls_process_batch_with_payloads_only(made: Any) -> None:
    module = made(at_once=lambda payloads: payloads[0] and [])
    assert run_node(module.Double) == []


def test_the_test_kit_refuses_forms_that_differ(made: Any) -> None:
    module = made(at_once=lambda payloads: [module.B(1) for _ in payloads])
    problem = r"something else from process_batch than from __call__ \(B\.n\) on record 2"
    with pytest.raises(NodeOutputError, match=problem) as caught:
        run_node(module.Double, module.A(1), module.A(2))
    assert caught.value.__notes__ == ["__call__:      B(n=2)\nprocess_batch: B(n=1)"]


def test_the_test_kit_compares_what_outputs_hold(declare: Any) -> None:
    module = declare(
        """
        class Bare:
            def __init__(self, n: float) -> None: self.n = n

        @node
        class F:
            def __call__(self, a: A) -> Bare: return Bare(float("nan"))
            def process_batch(self, some: list[A]) -> list[Bare]:
                return [Bare(float("nan")) for _ in some]
        """
    )
    assert len(run_node(module.F, module.A(1), module.A(2))) == 2


def test_the_test_kit_tells_what_process_batch_raised(made: Any) -> None:
    module = made(at_once=lambda payloads: payloads[99])
    with pytest.raises(NodeFailedError, match="IndexError in process_batch"):
        run_node(module.Double, module.A(1))


def test_the_test_kit_leaves_process_batch_of_a_node_with_a_state_alone(made: Any) -> None:
    module = made()
    assert run_node(module.Double, module.A(1), states=[module.Seen()]) == [module.B(1)]
    assert module.calls == [1]

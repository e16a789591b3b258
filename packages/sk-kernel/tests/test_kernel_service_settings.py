"""What a service is configured with, and what it says of that before anything is started."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace
from sk_kernel import AdapterSettings, ApplicationSpec, PreflightError
from sk_kernel.runtime import ApplicationContext, MemoryRun
from sk_kernel.testing import run_application, run_node, run_placed, run_sink, run_source

RATES = """
from sk_kernel import CheckError
ASKED = []
class Port: ...
class Place(msgspec.Struct):
    path: str
    tries: int = 1
@dataclasses.dataclass
class Times:
    factor: int = 2
@service(provides=[Port])
class RateTable:
    def __init__(self, settings: Place) -> None: self.settings = settings
    @classmethod
    def check(cls, settings: Place) -> None:
        ASKED.append(settings)
        if settings.path == "bad": raise CheckError("path", "is not there")
        if settings.path == "worse": raise ValueError("what is this")
        if settings.path == "exit": raise SystemExit(0)
@service(name="scale")
class Multiplier:
    def __init__(self, settings: Times, port: Port) -> None:
        self.factor, self.port = settings.factor, port
    @staticmethod
    def check(settings: Times) -> None:
        ASKED.append(settings)
        if not settings.factor: raise CheckError("factor", "makes nothing of anything")
@service
class Idle:
    def __init__(self, settings: Place) -> None: ...
    @classmethod
    def check(cls, settings: Place) -> None: ASKED.append("idle")
@service
class Bare:
    @classmethod
    def check(cls) -> None: ASKED.append("bare")
    def close(self) -> None: ...
@service
class Authoriser:
    def check(self, token: str) -> bool: return token == "right"
@source()
def numbers() -> Iterator[A]: yield A(3)
@source()
def unused(idle: Idle) -> Iterator[A]: yield A(1)
@sink()
def out(d: D, bare: Bare) -> None: OUT.append(d.text)
@node
def scaled(a: A, by: Multiplier, who: Authoriser) -> B: return B(a.n * by.factor)
@node
def named(b: B, port: Port) -> D: return D(f"{port.settings.path} {port.settings.tries} {b.n}")
"""

GIVEN: dict[str, dict[str, Any]] = {
    "rate_table": {"path": "rates.csv", "tries": 3},
    "scale": {"factor": 5},
}


@pytest.fixture
def m(declare: Any) -> Any:
    return declare(RATES, OUT=[])


def faults(spec: ApplicationSpec) -> list[str]:
    with pytest.raises(PreflightError) as caught:
        ApplicationContext(spec).run_checks()
    return [str(fault) for fault in caught.value.faults]


def port(m: Any) -> Any:
    """What can be given for the port of the module ``m``."""
    return type("Given", (m.Port,), {"settings": m.Place("given")})()


# ---- settings ------------------------------------------------------------------------------------


def test_settings_reach_a_service_its_types_and_the_services_that_it_needs(
    m: Any, spec_of: Any
) -> None:
    MemoryRun(ApplicationContext(spec_of(m, services=GIVEN)), "r").run()
    assert m.OUT == ["rates.csv 3 15"]


def test_a_service_has_the_defaults_of_what_it_is_not_given(m: Any, spec_of: Any) -> None:
    given = {"rate_table": {"path": "x"}}
    MemoryRun(ApplicationContext(spec_of(m, services=given)), "r").run()
    assert m.OUT == ["x 1 6"]


def test_all_faults_of_all_services_come_at_once(m: Any, spec_of: Any) -> None:
    given: dict[str, dict[str, Any]] = {
        "rate_table": {"tries": "often", "pat": "x"},
        "scale": {"factr": 1},
        "idle": {"path": 1},
        "bare": {"x": 1},
        "rate_tabel": {},
    }
    assert faults(spec_of(m, services=given)) == [
        "services.bare.x: unknown_key: expected no settings here",
        "services.idle.path: wrong_type: expected a string; got an integer",
        "services.rate_tabel: unknown_service: expected one of authoriser, bare, idle, rate_table,"
        " scale (did you mean rate_table?)",
        "services.rate_table.pat: unknown_key: expected one of path, tries (did you mean path?)",
        "services.rate_table.path: missing: expected a value: it has no default; got none",
        "services.rate_table.tries: wrong_type: expected an integer; got a string",
        "services.scale.factr: unknown_key: expected one of factor (did you mean factor?)",
    ]


def test_a_service_that_nobody_asks_for_needs_no_settings(m: Any, spec_of: Any) -> None:
    spec = spec_of(m, services=GIVEN)
    ApplicationContext(spec)
    (fault,) = faults(replace(spec, source=AdapterSettings("unused")))
    assert fault.startswith("services.idle.path: missing")


def test_a_service_that_a_node_can_do_without_needs_its_settings_where_there_is_one(
    declare: Any, spec_of: Any
) -> None:
    module = declare(
        """
        class Place(msgspec.Struct):
            path: str
        @service
        class Rates:
            def __init__(self, settings: Place) -> None: self.path = settings.path
        @source()
        def numbers() -> Iterator[A]: yield A(1)
        @node
        def read(a: A, rates: Rates | None) -> D: return D(rates.path)
        @sink()
        def out(d: D) -> None: OUT.append(d.text)
        """,
        OUT=[],
    )
    (fault,) = faults(spec_of(module))
    assert fault.startswith("services.rates.path: missing")
    given = {"rates": {"path": "here"}}
    MemoryRun(ApplicationContext(spec_of(module, services=given)), "r").run()
    assert module.OUT == ["here"]


def test_a_model_that_cannot_be_one_is_a_fault_of_its_service(declare: Any, spec_of: Any) -> None:
    module = declare(
        """
        @service
        class Rates:
            def __init__(self, settings: int) -> None: ...
        @source()
        def numbers() -> Iterator[A]: yield A(1)
        @sink()
        def out(a: A) -> None: ...
        """
    )
    (fault,) = faults(spec_of(module, services={"rates": {"x": 1}}))
    assert fault.startswith("rates: bad_model: expected a msgspec.Struct or dataclass")


def test_two_services_of_one_name_are_refused_until_one_has_a_name_of_its_own(
    declare: Any,
) -> None:
    text = "@service\nclass Rates: ...\n@source()\ndef numbers() -> Iterator[A]: yield A(1)\n"
    one = declare(text)
    other = declare("@service\nclass Rates: ...\n@sink()\ndef out(a: A) -> None: ...")
    third = declare("@service(name='others')\nclass Rates: ...")
    roots = [one.__name__, other.__name__]
    with pytest.raises(PreflightError, match="rates: duplicate: expected a name of its own; got"):
        ApplicationContext(ApplicationSpec(scenario="t", discovery_modules=roots))
    roots = [one.__name__, third.__name__]
    with pytest.raises(PreflightError) as caught:  # for want of adapters
        ApplicationContext(ApplicationSpec(scenario="t", discovery_modules=roots))
    assert {fault.category for fault in caught.value.faults} == {"missing"}


# ---- check ---------------------------------------------------------------------------------------


def test_each_service_that_is_asked_for_is_checked_once_and_no_other(m: Any, spec_of: Any) -> None:
    ApplicationContext(spec_of(m, services=GIVEN)).run_checks()
    assert sorted(map(str, m.ASKED)) == [
        "Place(path='rates.csv', tries=3)",
        "Times(factor=5)",
        "bare",
    ]


def test_a_run_checks_nothing_again(m: Any, spec_of: Any) -> None:
    MemoryRun(ApplicationContext(spec_of(m, services=GIVEN)), "r").run()
    assert m.ASKED == []


def test_what_services_say_comes_at_once_each_with_its_setting(m: Any, spec_of: Any) -> None:
    given = {"rate_table": {"path": "bad"}, "scale": {"factor": 0}}
    assert faults(spec_of(m, services=given)) == [
        "services.rate_table.path: service: is not there",
        "services.scale.factor: service: makes nothing of anything",
    ]


@pytest.mark.parametrize(
    ("path", "said"), [("worse", "ValueError: what is this"), ("exit", "SystemExit: 0")]
)
def test_a_check_that_raises_anything_else_is_a_fault_of_its_service(
    m: Any, spec_of: Any, path: str, said: str
) -> None:
    (fault,) = faults(spec_of(m, services={"rate_table": {"path": path}}))
    assert fault.startswith(f"services.rate_table: service: its check() raised {said} (")


# ---- the test kit --------------------------------------------------------------------------------


def test_a_service_that_a_node_needs_is_made_with_the_settings_given_by_its_name(m: Any) -> None:
    for own in ({"factor": 4}, m.Times(4)):
        got = run_node(m.scaled, m.A(3), services=[port(m)], service_settings={"scale": own})
        assert got == [m.B(12)]


def test_a_service_that_is_made_for_one_node_is_checked(m: Any) -> None:
    own = {"scale": {"factor": 0}}
    with pytest.raises(PreflightError, match=r"^services\.scale\.factor: service: makes nothing"):
        run_node(m.scaled, m.A(3), services=[port(m)], service_settings=own)


def test_settings_of_services_that_are_not_made_and_wrong_ones_come_at_once(m: Any) -> None:
    own: dict[str, Any] = {"idle": {"path": 1}, "scale": {}}
    with pytest.raises(PreflightError) as caught:
        run_source(m.unused, service_settings=own)
    assert list(map(str, caught.value.faults)) == [
        "services.idle.path: wrong_type: expected a string; got an integer",
        "services.scale: unknown_service: expected one that is made here: idle",
    ]
    with pytest.raises(PreflightError, match=r"expected no settings: no service is made here$"):
        run_source(m.numbers, service_settings={"idle": {"path": "x"}})


def test_the_services_of_a_source_and_a_sink_are_checked_and_have_settings(m: Any) -> None:
    assert run_source(m.unused, service_settings={"idle": {"path": "x"}}) == [m.A(1)]
    run_sink(m.out, m.D("x"))
    assert m.ASKED == ["idle", "bare"]


@pytest.mark.parametrize("run", [run_application, partial(run_placed, placement={"named": "two"})])
def test_a_graph_has_the_settings_of_the_application_and_those_given_over_them(
    m: Any, spec_of: Any, run: Any
) -> None:
    spec = spec_of(m, services=GIVEN)
    got = run(spec, [m.A(3)], service_settings={"rate_table": {"path": "mine.csv"}})
    assert got == [m.D("mine.csv 1 15")]


def test_a_graph_in_which_a_service_refuses_its_settings_is_not_run(m: Any, spec_of: Any) -> None:
    with pytest.raises(PreflightError, match=r"^services\.rate_table\.path: service: is not there"):
        run_application(spec_of(m), [m.A(3)], service_settings={"rate_table": {"path": "bad"}})


def test_a_service_that_is_given_needs_no_settings_and_is_not_checked(m: Any, spec_of: Any) -> None:
    fixed = type("Fixed", (m.Multiplier,), {"__init__": lambda self: None, "factor": 7})()
    for services in (None, GIVEN):
        spec = spec_of(m, services=services)
        assert run_application(spec, [m.A(3)], services=[fixed, port(m)]) == [m.D("given 1 21")]
    assert m.ASKED == []

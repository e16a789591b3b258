"""The table of what comes with a package, and the manifests as they stand."""

from __future__ import annotations

import pytest
from install_check import CHECKOUT
from install_manifests import lowest, reached, read_manifests
from install_table import (
    BROUGHT_BY_EXTRAS,
    COMES_WITH,
    NEVER,
    import_faults,
    installation_faults,
)
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

MANIFESTS = read_manifests(CHECKOUT)
each_package = pytest.mark.parametrize("name", MANIFESTS)


def all_requirements(name: str) -> list[Requirement]:
    manifest = MANIFESTS[name]
    return [
        *manifest.requirements(manifest.extras),
        *manifest.test_requirements,
        *manifest.build_requirements,
    ]


def test_the_table_has_a_row_for_each_package() -> None:
    assert set(COMES_WITH) == set(MANIFESTS)


@each_package
def test_the_table_holds_what_a_package_and_its_siblings_declare(name: str) -> None:
    declared = reached([Requirement(name)], MANIFESTS)
    assert {str(canonicalize_name(each.name)) for each in declared} - {name} == COMES_WITH[name]


@each_package
def test_a_package_with_no_extra_has_no_row_of_what_extras_bring(name: str) -> None:
    assert MANIFESTS[name].extras or name not in BROUGHT_BY_EXTRAS


@each_package
def test_the_tests_of_a_package_are_run_with_all_of_its_extras(name: str) -> None:
    own = [each for each in MANIFESTS[name].test_requirements if each.name == name]
    assert {extra for each in own for extra in each.extras} == set(MANIFESTS[name].extras)


@each_package
def test_every_requirement_has_a_lowest_version(name: str) -> None:
    without = [each for each in all_requirements(name) if not lowest(each)]
    assert [each for each in without if each.name != name] == []


@pytest.mark.parametrize("stranger", sorted(NEVER))
def test_what_comes_with_no_package_is_a_fault_wherever_it_is(stranger: str) -> None:
    alone = {"sk-kernel", *COMES_WITH["sk-kernel"]}
    assert installation_faults("sk-kernel", alone) == []
    assert installation_faults("sk-kernel", alone | {stranger, "unheard-of"}) == [
        f"sk-kernel brings {stranger}, which the table excludes"
    ]


def test_a_sibling_that_does_not_belong_to_a_package_is_a_fault() -> None:
    found = installation_faults("sk-kernel", {"sk-kernel", "msgspec", "sk-transport"})
    assert found == ["sk-kernel brings sk-transport, which the table excludes"]


def test_what_the_table_promises_and_is_not_installed_is_a_fault() -> None:
    assert installation_faults("sk-kernel", {"sk-kernel"}) == ["sk-kernel does not bring msgspec"]


def test_a_module_that_lacks_what_no_extra_brings_is_a_fault() -> None:
    found = import_faults("sk-kernel", {"sk_kernel.graph": "networkx.algorithms"})
    assert found == ["sk_kernel.graph cannot be imported: networkx.algorithms"]


def test_a_module_that_lacks_what_an_extra_brings_is_none() -> None:
    failed = {"sk_supervisor._health.http": "h11", "sk_supervisor.testing.zoo": "pytest"}
    assert import_faults("sk-supervisor", failed) == []
    assert len(import_faults("sk-kernel", failed)) == len(failed)

"""The rooms of a package: arrows between them run one way, and each says what is in it."""

from __future__ import annotations

import pytest
from printed_rooms import CycleError, from_the_top, needs_of_rooms
from source_tree import PACKAGES, Package, docstring_of, expect_none, parse, python_files, where

MOST_MODULES = 40

each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)


@each_package
def test_the_rooms_of_a_package_need_each_other_one_way_only(package: Package) -> None:
    try:
        from_the_top(needs_of_rooms(package))
    except CycleError as circle:
        pytest.fail(str(circle), pytrace=False)


@each_package
def test_no_folder_of_a_package_has_more_modules_than_one_can_look_through(
    package: Package,
) -> None:
    folders = {path.parent for path in package.sources()}
    crowded = [f for f in folders if len(list(f.glob("*.py"))) > MOST_MODULES]
    expect_none(f"{folder} has more than {MOST_MODULES} modules" for folder in crowded)


@each_package
def test_a_room_says_what_is_in_it_and_holds_nothing_else(package: Package) -> None:
    expect_none(
        f"{where(init, 1)}: a docstring, and no more"
        for room in needs_of_rooms(package)
        for init in [package.source / room / "__init__.py"]
        if len(parse(init).body) != 1 or not docstring_of(init)
    )


def test_a_circle_of_rooms_is_found() -> None:
    with pytest.raises(CycleError):
        from_the_top({"_a": {"_b"}, "_b": {"_c"}, "_c": {"_b"}})


def test_rooms_come_above_what_they_need() -> None:
    assert from_the_top({"_a": set(), "_b": {"_a"}, "_c": {"_b", "_a"}}) == ["_c", "_b", "_a"]


@each_package
def test_a_module_in_a_room_has_no_further_underscore(package: Package) -> None:
    expect_none(
        f"{where(path, 1)}: the room is private already"
        for room in needs_of_rooms(package)
        for path in python_files(package.source / room)
        if path.name.startswith("_") and path.name != "__init__.py"
    )

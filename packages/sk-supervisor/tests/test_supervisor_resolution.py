"""Which supervisor runs a configuration: by its mode, built in or from another package."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_kernel import SUPERVISORS, BootstrapSupervisor
from sk_observability import LifecycleLog
from sk_supervisor import (
    LocalBootstrapSupervisor,
    MultiprocessBootstrapSupervisor,
    RunRefusedError,
    RuntimeLifecycleResolutionError,
    prepare,
    run,
    serve,
)
from sk_supervisor._plan.supervisors import check_mode
from sk_supervisor._run.execute import make_supervisor
from sk_supervisor._show.board import board_of
from sk_supervisor._show.display import display_for
from supervisor_harness import GROUPS, expected, settings

Install = Callable[..., None]

ENGINE = """
from sk_supervisor import supervisor_of

made = []

def engine(setup):
    made.append(setup)
    return supervisor_of("inline", setup)

def hopeless(setup):
    from sk_kernel import LifecycleCallError
    raise LifecycleCallError("engine", "is out of order")

nothing = None
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a package as an installer does: a module, and metadata with an entry point."""

    def install(line: str, source: str = ENGINE, name: str = "some-engine") -> None:
        site = tmp_path / "site" / name
        info = site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{SUPERVISORS}]\n{line}\n")
        (site / "some_engine.py").write_text(source)
        monkeypatch.syspath_prepend(str(site))

    yield install
    sys.modules.pop("some_engine", None)


@pytest.mark.contract("P5PRE-SUP-01", "IPC-INT-01", "IPC-INT-02", "IPC-INT-04")
@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("process_supervisor", MultiprocessBootstrapSupervisor),
        ("inline", LocalBootstrapSupervisor),
    ],
)
def test_a_mode_resolves_to_its_supervisor_and_no_other(
    target: Path, mode: str, kind: type[BootstrapSupervisor]
) -> None:
    groups = GROUPS if mode == "process_supervisor" else ()
    prepared = prepare(build_config(settings(target, mode=mode, groups=groups)))
    display = display_for(io.StringIO(), board_of(prepared))
    made = make_supervisor(prepared, "r1", LifecycleLog("r1"), display)
    assert type(made) is kind
    assert made.shutdown() == "none"
    display.close()


@pytest.mark.contract("PROC-INT-06", "BOOT-CFG-01")
def test_a_mode_that_nothing_provides_is_refused_naming_what_there_is(target: Path) -> None:
    with pytest.raises(RuntimeLifecycleResolutionError) as caught:
        check_mode("fork")
    assert caught.value.wanted == "runtime.platform.bootstrap.mode"
    for part in ("'fork'", "inline, process_supervisor", "install the package", SUPERVISORS):
        assert part in str(caught.value)
    with pytest.raises(RunRefusedError) as refused:
        prepare(build_config(settings(target, mode="fork", groups=())))
    [fault] = refused.value.faults
    assert (fault.path, fault.category) == ("runtime.platform.bootstrap.mode", "unavailable")
    assert refused.value.exit_code == 2


def test_another_package_can_provide_the_supervisor(target: Path, install: Install) -> None:
    install("engine = some_engine:engine")
    said = io.StringIO()
    config = build_config(settings(target, mode="engine", groups=()))
    assert run(config, run_id="r1", stderr=said) == 0, said.getvalue()
    assert target.read_text().splitlines() == expected(20)
    [setup] = sys.modules["some_engine"].made
    assert (setup.run_id, setup.config, setup.groups) == ("r1", config, ())


def test_an_engine_gets_the_nodes_placed_on_the_groups_if_any_are_configured(
    target: Path, install: Install
) -> None:
    install("engine = some_engine:engine")
    prepared = prepare(build_config(settings(target, mode="engine")))
    assert [g.name for g in prepared.groups] == ["in", "mid", "out"]
    assert prepared.plan.group_of["work"] == "mid"


def test_an_engine_that_cannot_be_made_ends_the_run_with_its_own_code(
    target: Path, install: Install
) -> None:
    install("hopeless = some_engine:hopeless")
    said = io.StringIO()
    config = build_config(settings(target, mode="hopeless", groups=()))
    assert run(config, stderr=said) == 3
    assert "error: engine: is out of order" in said.getvalue()
    assert target.read_text() == "old\n"


@pytest.mark.parametrize(
    ("line", "source", "problem"),
    [
        ("engine = some_engine:nothing", ENGINE, "makes no supervisor"),
        ("engine = some_engine:engine", "import no_such_module_at_all", "needs no_such_module"),
        ("engine = some_engine:engine", "raise RuntimeError('secret')", "raised RuntimeError"),
        ("engine = some_engine:no_such_name", ENGINE, "raised AttributeError"),
    ],
)
def test_what_provides_no_supervisor_is_refused_with_its_reason(
    install: Install, line: str, source: str, problem: str
) -> None:
    install(line, source)
    with pytest.raises(RuntimeLifecycleResolutionError, match=problem) as caught:
        check_mode("engine")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "problem"),
    [("engine = builtins:dict", "cannot be made"), ("engine = builtins:id", "it has no")],
)
def test_a_factory_that_makes_no_supervisor_ends_the_run_in_one_line(
    target: Path, install: Install, line: str, problem: str
) -> None:
    install(line)
    said = io.StringIO()
    config = build_config(settings(target, mode="engine", groups=()))
    assert run(config, quiet=True, stderr=said) == 3
    assert problem in said.getvalue()
    assert len(said.getvalue().splitlines()) == 1


def test_a_path_in_the_place_of_a_configuration_is_refused_with_what_to_write() -> None:
    with pytest.raises(TypeError, match=r"run\(load_config\('app.yaml'\)\)"):
        run("app.yaml")  # type: ignore[arg-type]
    with (
        pytest.raises(TypeError, match=r"serve\(load_config\('app.yaml'\)\)"),
        serve(Path("app.yaml")),  # type: ignore[arg-type]
    ):
        pytest.fail("the block began")


@pytest.mark.parametrize("function", [run, serve])
def test_a_mapping_in_the_place_of_a_configuration_is_rejected_with_the_call_to_write(
    function: Callable[[Any], object],
) -> None:
    with pytest.raises(TypeError, match=rf"dict .* {function.__name__}\(build_config\("):
        function({"version": 1})


def test_two_packages_that_provide_one_name_are_refused(install: Install) -> None:
    install("engine = some_engine:engine")
    install("engine = some_engine:hopeless", name="other-engine")
    with pytest.raises(RuntimeLifecycleResolutionError, match="uninstall all but one"):
        check_mode("engine")


def test_no_package_displaces_what_is_built_in(target: Path, install: Install) -> None:
    install("inline = some_engine:hopeless")
    config = build_config(settings(target, mode="inline", groups=()))
    assert run(config, quiet=True, stderr=io.StringIO()) == 0

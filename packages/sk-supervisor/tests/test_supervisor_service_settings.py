"""A service's settings and its check, from the configuration to the workers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sk_config import load_config
from sk_kernel.testing import run_application
from sk_supervisor import application_spec
from supervisor_harness import written

Ask = Callable[..., tuple[int, str, str]]

GROUPS = (
    {"name": "near", "nodes": ["source:source", "price"]},
    {"name": "far", "nodes": ["scaled", "sink:sink"]},
)
MODES = pytest.mark.parametrize("mode", ["inline", "process_supervisor"])


class Shop:
    """The configuration of ``served_app``, and the files that it names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.out, self.notes = folder / "out.txt", folder / "notes.txt"
        (folder / "prices.json").write_text("[5, 7, 11]")

    def configuration(self, mode: str = "inline", **services: Any) -> dict[str, Any]:
        """With the settings of services that are given over those that are right."""
        prices = {"path": str(self._folder / "prices.json"), "log": str(self._folder / "log.txt")}
        platform: dict[str, Any] = {"bootstrap": {"mode": mode}}
        if mode != "inline":
            ipc = {"transport": "tcp_local", "control": {}}
            platform |= {"execution_ipc": ipc, "process_groups": GROUPS}
        return {
            "version": 1,
            "scenario": "served",
            "runtime": {"discovery_modules": ["served_app"], "platform": platform},
            "services": {
                "prices": {**prices, **services.pop("prices", {})},
                "scale": {"factor": 3},
                "notes": {"path": str(self.notes)},
                **services,
            },
            "adapters": {
                "source": {"name": "numbers"},
                "sink": {"name": "lines", "settings": {"path": str(self.out)}},
            },
        }

    def log(self) -> list[list[str]]:
        """What was noted of services: what became of one, and the process in which it did."""
        path = self._folder / "log.txt"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def lines(factor: int) -> str:
    cents = [(5, 7, 11)[n % 3] for n in range(20)]
    return "".join(f"{n} {each} {factor * each}\n" for n, each in enumerate(cents))


@MODES
def test_services_of_every_group_have_their_settings_in_every_profile(
    ask: Ask, shop: Shop, mode: str
) -> None:
    code, _, err = ask("run", shop.configuration(mode), "--quiet")
    assert (code, err) == (0, "")
    assert shop.out.read_text() == lines(3)
    assert shop.notes.read_text() == "20 lines\n"


def test_a_setting_of_a_service_is_set_from_the_command_line(ask: Ask, shop: Shop) -> None:
    configuration = shop.configuration("process_supervisor")
    code, _, err = ask("run", configuration, "--quiet", "--set", "services.scale.factor=8")
    assert (code, err) == (0, "")
    assert shop.out.read_text() == lines(8)


def test_a_service_is_checked_once_where_it_is_configured_and_made_where_it_is_used(
    ask: Ask, shop: Shop
) -> None:
    assert ask("run", shop.configuration("process_supervisor"), "--quiet")[0] == 0
    (what, where), *made = shop.log()
    assert (what, where) == ("checked", str(os.getpid()))
    assert [what for what, _ in made] == ["made", "made"]
    assert len({where, *(pid for _, pid in made)}) == 3


@MODES
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_service_that_refuses_its_settings_ends_the_command_and_nothing_is_started(
    ask: Ask, shop: Shop, mode: str, command: str
) -> None:
    configuration = shop.configuration(mode, prices={"path": "nowhere.json"})
    code, out, err = ask(command, configuration)
    assert (code, out) == (2, "")
    assert "services.prices.path: service: there is no file 'nowhere.json'\n" in err
    assert [what for what, _ in shop.log()] == ["checked"]
    assert not shop.out.exists()


def test_wrong_settings_of_services_come_at_once_each_with_its_path(ask: Ask, shop: Shop) -> None:
    configuration = shop.configuration(
        prices={"tries": "often", "pth": 1}, scales={}, notes={}, scale={"factor": "x"}
    )
    code, _, err = ask("check", configuration)
    assert code == 2
    found = {line.strip().partition(": expected")[0] for line in err.splitlines()[1:]}
    assert found == {
        "services.prices.tries: wrong_type",
        "services.prices.pth: unknown_key",
        "services.scales: unknown_service",
        "services.notes.path: missing",
        "services.scale.factor: wrong_type",
    }
    assert "(did you mean path?)" in err
    assert "(did you mean scale?)" in err
    assert shop.log() == []


def test_a_graph_is_shown_without_asking_services(ask: Ask, shop: Shop) -> None:
    code, _, _ = ask("graph", shop.configuration(prices={"path": "nowhere.json"}))
    assert (code, shop.log()) == (0, [])


def test_what_a_service_is_given_by_a_placeholder_is_in_no_message(ask: Ask, shop: Shop) -> None:
    configuration = shop.configuration(prices={"path": "${ENV:TABLE_URL}"})
    code, out, err = ask("check", configuration, TABLE_URL="db://user:hush@host")
    assert code == 2
    assert "services.prices.path: service: there is no file " in err
    assert "hush" not in out + err


def test_a_test_runs_the_services_of_a_configuration(shop: Shop, tmp_path: Path) -> None:
    from served_app import Line, Number

    spec = application_spec(load_config(written(tmp_path, shop.configuration())))
    own = {"scale": {"factor": 2}}
    assert run_application(spec, [Number(1)], service_settings=own) == [Line("1 7 14")]


def test_replay_writes_to_no_place_that_a_service_of_the_sink_has(ask: Ask, shop: Shop) -> None:
    dead = shop.out.with_name("dead.jsonl")
    configuration = shop.configuration()
    configuration["nodes"] = {"price": {"fails_at": 4}}
    failure = {"default": {"policy": "dead_letter"}, "dead_letter": {"path": str(dead)}}
    configuration["runtime"]["failure"] = failure
    assert ask("run", configuration, "--quiet")[0] == 0
    late, other = shop.out.with_name("late.txt"), shop.out.with_name("other.txt")
    again = ("replay", {**configuration, "nodes": {}}, "--dead-letter", str(dead))
    code, out, err = ask(*again, "--output", str(late))
    assert (code, out) == (2, "")
    assert "\n  --set services.notes.path=VALUE\n" in err
    assert "services.prices" not in err
    code, _, _ = ask(*again, "--output", str(late), "--set", f"services.notes.path={other}")
    assert (code, late.read_text(), other.read_text()) == (0, "4 7 21\n", "1 lines\n")
    assert shop.notes.read_text() == "19 lines\n"

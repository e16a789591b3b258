"""The stories, told once an engine in each test process, and told anew in another order."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from contract_engines import Engine

TESTBED = str(Path(__file__).parent.parent)
if TESTBED not in sys.path:
    sys.path.insert(0, TESTBED)  # workers inherit it, as they do any module search path

from engine_commands import Told, told  # noqa: E402
from engine_configuration import HARMED  # noqa: E402
from engine_requests import Asked, asked  # noqa: E402
from engine_supervised import Seen, harmed, stopped, unborn, unstoppable  # noqa: E402


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The run that every other is compared with: in memory, to the end of its input."""
    return told(Engine("memory"), tmp_path_factory.mktemp("alone"))


@pytest.fixture(scope="session")
def done(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A run to the end of its input."""
    return told(engine, tmp_path_factory.mktemp("done"))


@pytest.fixture(scope="session")
def raised(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A run in which a node raises; of its events, those of level info are exported."""
    weigh = {"at": HARMED, "do": "raise"}
    events = {"level": "info"}
    return told(engine, tmp_path_factory.mktemp("raised"), weigh=weigh, events=events)


@pytest.fixture(scope="session")
def refused(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A run one of whose nodes cannot be made."""
    return unborn(engine, tmp_path_factory.mktemp("refused"))


@pytest.fixture(scope="session")
def drained(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A run without an end that was asked to stop in full flow."""
    return stopped(engine, tmp_path_factory.mktemp("drained"))


@pytest.fixture(scope="session")
def crashed(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A run one of whose workers is killed."""
    return harmed(engine, tmp_path_factory.mktemp("crashed"), "kill")


@pytest.fixture(scope="session")
def frozen(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A run one of whose workers falls silent."""
    quick = {"heartbeat_seconds": 1}
    return harmed(engine, tmp_path_factory.mktemp("frozen"), "freeze", working=quick)


@pytest.fixture(scope="session")
def forced(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A run that does not heed a stop."""
    return unstoppable(engine, tmp_path_factory.mktemp("forced"))


@pytest.fixture(scope="session")
def answered(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """A run that was asked, and ended while a request was in flight."""
    return asked(engine, tmp_path_factory.mktemp("answered"))

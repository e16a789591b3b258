"""The testbed's modules by their names, the receivers, and a run that sends to them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTBED = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTBED))

from otlp_receivers import MockOtlp, OtlpReceiver, Phoenix  # noqa: E402 - importable from here on
from receivers_installed import installed  # noqa: E402
from receivers_runs import Runs  # noqa: E402


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def mock_otlp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtlpReceiver]:
    receiver = MockOtlp(installed(), tmp_path_factory.mktemp("mock"))
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtlpReceiver]:
    receiver = Phoenix(installed(), tmp_path_factory.mktemp("phoenix"))
    yield receiver
    receiver.close()

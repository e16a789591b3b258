"""In the running system: a replayed frame ends nowhere good, and no secret comes to light."""

from __future__ import annotations

import base64
import io
import json
import pickle
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from sk_config import Config, build_config
from sk_observability import LifecycleLog, build_log_exporters
from sk_supervisor import (
    MultiprocessBootstrapSupervisor,
    RuntimeWorkerFailedError,
    prepare,
    run,
)
from sk_transport import StaticSecretWarning

APPS = Path(__file__).parent / "apps"
GROUPS = ("ingress", "middle", "egress")
DATA_SECRET = "PLANTED-data-plane-0f1e2d3c4b5a6978"  # noqa: S105
CONTROL_SECRET = "PLANTED-control-plane-8796a5b4c3d2e1f0"  # noqa: S105


@pytest.fixture(autouse=True)
def _apps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The applications are importable, in workers too: they inherit the search path."""
    monkeypatch.syspath_prepend(str(APPS))


def configuration(folder: Path, *, modules: tuple[str, ...] = (), **parts: Any) -> dict[str, Any]:
    """Three groups of the application; `parts` are its ipc, observability and node settings."""
    vertices = (["source:source"], ["check"], ["sink:sink"])
    return {
        "version": 1,
        "scenario": "attacked",
        "runtime": {
            "discovery_modules": ["attack_app", *modules],
            "platform": {
                "bootstrap": {"mode": "process_supervisor"},
                "execution_ipc": {"transport": "tcp_local", "control": {}, **parts.get("ipc", {})},
                "process_groups": [
                    {"name": name, "nodes": nodes}
                    for name, nodes in zip(GROUPS, vertices, strict=True)
                ],
            },
            "observability": parts.get("observability", {}),
        },
        "nodes": parts.get("nodes", {}),
        "adapters": {
            "source": {"name": "counting"},
            "sink": {"name": "lines", "settings": {"path": str(folder / "output")}},
        },
    }


@pytest.mark.contract("IPC-INT-07", "SEC-IPC-04")
def test_a_frame_replayed_on_a_live_link_is_refused_by_the_worker_that_gets_it(
    tmp_path: Path,
) -> None:
    """The receiving worker refuses it, the run ends with exit 4 and names why; nothing is written.

    The hub relays what it does not decode: it is the end that verifies.
    """
    config = build_config(configuration(tmp_path, modules=("wire_twice",)))
    heard = io.StringIO()
    assert run(config, quiet=True, stderr=heard) == 4
    said = heard.getvalue()
    assert "a batch was sent twice" in said
    assert "group middle failed (transport)" in said
    assert "came a second time: someone replays what was sent" in said
    assert not (tmp_path / "output").exists()


def test_without_the_replay_the_same_run_is_done(tmp_path: Path) -> None:
    heard = io.StringIO()
    assert run(build_config(configuration(tmp_path)), quiet=True, stderr=heard) == 0
    assert heard.getvalue() == ""
    assert (tmp_path / "output").read_text().splitlines() == [str(n) for n in range(1, 5_001)]


def secretive(folder: Path) -> dict[str, Any]:
    """Both planes with secrets of our own, a node that fails, and exporters that do."""
    data = {"secret_mode": "static", "secret": DATA_SECRET, "kdf": "none"}  # the key is the secret
    control = {"secret_mode": "static", "secret": CONTROL_SECRET}
    full = {"kind": "jsonl", "settings": {"path": "/dev/full"}}
    kept = {"kind": "jsonl", "settings": {"path": str(folder / "lifecycle.jsonl")}}
    return configuration(
        folder,
        ipc={"auth": data, "control": {"auth": control}},
        observability={
            "tracing": {"exporters": [full]},
            "logging": {"exporters": [full, kept], "lifecycle_events": {"level": "debug"}},
        },
        nodes={"check": {"fails_at": 4_000}},
    )


def forms(secret: str) -> Iterator[str]:
    """A secret as it might show: itself, its bytes as hex or base64, what is unlike in it."""
    raw = secret.encode()
    yield from (secret, raw.hex(), raw.hex().upper(), secret[::-1], secret[8:24])
    yield from (base64.b64encode(raw).decode().rstrip("="), raw.hex(" "), str(list(raw))[1:-1])


def assert_no_secret(where: dict[str, str]) -> None:
    """No form of either secret shows in any of these texts."""
    for secret in (DATA_SECRET, CONTROL_SECRET):
        for form in forms(secret):
            assert [name for name, text in where.items() if form in text] == []


@pytest.mark.contract("SEC-IPC-08", "KEY-IPC-02", "KEY-IPC-04", "IPC-INT-08")
def test_no_secret_shows_in_anything_that_a_failing_run_says(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What the command writes, what its workers write, and the log that it keeps."""
    heard = io.StringIO()
    with pytest.warns(StaticSecretWarning) as warned:
        code = run(build_config(secretive(tmp_path)), stderr=heard)
    assert code == 4
    written = capfd.readouterr()
    said = heard.getvalue()
    assert "check" in said
    lifecycle = (tmp_path / "lifecycle.jsonl").read_text()
    assert "worker_failed" in lifecycle
    assert_no_secret(
        {
            "terminal": said,
            "standard output": written.out,
            "standard error": written.err,
            "lifecycle log": lifecycle,
            "warnings": repr([str(warning) for warning in warned.list]),
        }
    )


@pytest.mark.contract("SEC-IPC-08", "KEY-IPC-04", "IPC-INT-08")
def test_no_secret_shows_in_the_objects_errors_and_processes_of_a_failing_run(
    tmp_path: Path,
) -> None:
    """Reprs, pickles, tracebacks with their local variables, command lines and environments."""
    config: Config = build_config(secretive(tmp_path))
    prepared = prepare(config)
    exporters = [("jsonl", {"path": "/dev/full"})]
    log = LifecycleLog("r1", build_log_exporters(exporters), level="debug")
    lines: list[str] = []
    supervisor = MultiprocessBootstrapSupervisor(
        prepared,
        "r1",
        log,
        on_line=lambda _worker, _stream, text, *_: lines.extend(text.split("\n")),
    )
    seen: dict[str, str] = {}
    try:
        with pytest.warns(StaticSecretWarning):
            supervisor.start_groups(GROUPS)
        assert supervisor.wait_ready(60)
        for child in psutil.Process().children():
            seen[f"process {child.pid}"] = f"{child.cmdline()} {child.environ()}"
        assert len(seen) == len(GROUPS)
        with pytest.raises(RuntimeWorkerFailedError) as caught:
            supervisor.run()
    finally:
        supervisor.shutdown()
        log.close()
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    seen |= {
        "traceback": "".join(told.format()),
        "error": repr(caught.value) + str(caught.value) + repr(vars(caught.value)),
        "pickled error": pickle.dumps(caught.value).decode("latin-1"),
        "worker lines": "\n".join(lines),
        "snapshot": repr(supervisor.snapshot()),
        "events": repr(supervisor.lifecycle_events()),
        "log": repr(log.counts()),
        "supervisor": repr(vars(supervisor)),
        "configuration": repr(config) + repr(prepared) + json.dumps(config.model_dump(mode="json")),
    }
    assert "worker_failed" in seen["events"]
    assert "Check" in seen["worker lines"] or "check" in seen["worker lines"]
    assert_no_secret(seen)


def test_the_search_finds_what_it_looks_for() -> None:
    for text in (repr(DATA_SECRET.encode()), CONTROL_SECRET.encode().hex(), sys.version):
        if text == sys.version:
            assert_no_secret({"sample": text})
        else:
            with pytest.raises(AssertionError):
                assert_no_secret({"sample": text})

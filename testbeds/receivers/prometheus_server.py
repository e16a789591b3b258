"""Prometheus itself, as a process that scrapes what it is told to."""

from __future__ import annotations

import json
import os
import re
import shutil
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from receiver_process import PATIENCE_SECONDS, ReceiverProcess
from receivers_installed import AbsentError

_ADDRESS = re.compile(r'msg="Listening on" address=(\S+:[1-9]\d*)')
_READY = "Server is ready to receive web requests."
_PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
_TIMEOUT_SECONDS = 10


def documented() -> tuple[dict[str, Any], str]:
    """Give the scrape configuration and the alert rules that the documentation shows."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", _PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    [scrape] = [block for block in blocks if "scrape_configs:" in block]
    [rules] = [block for block in blocks if "alert:" in block]
    return yaml.safe_load(scrape), rules


class Prometheus:
    """Scrapes one address every second, with the documentation's configuration and rules.

    :raises AbsentError: when it is not installed.
    """

    def __init__(self, folder: Path, target: str) -> None:
        program = shutil.which("prometheus")
        if program is None:
            raise AbsentError("missing program: prometheus (Debian: apt-get install prometheus)")
        configuration, rules = documented()
        [job] = configuration["scrape_configs"]
        job |= {"scrape_interval": "1s", "static_configs": [{"targets": [target]}]}
        configuration["global"] = {"evaluation_interval": "1s"}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration), "utf-8")
        [named] = configuration["rule_files"]
        (folder / named).write_text(rules, "utf-8")
        self._process = ReceiverProcess(
            [
                program,
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",  # Debian's would be the system's own.
                "--web.listen-address=127.0.0.1:0",
            ],
            env=dict(os.environ),
            cwd=folder,
            patience=PATIENCE_SECONDS,
        )
        try:
            lines = self._process.lines(lambda lines: any(_READY in line for line in lines))
        except BaseException:
            self._process.close()
            raise
        self._address = _address(lines)

    def ask(self, path: str, **query: str) -> Any:
        """Give the data of an answer of its HTTP API."""
        url = f"http://{self._address}/api/v1/{path}?{urlencode(query)}"
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:
            told = json.load(answer)
        assert told["status"] == "success", told
        return told["data"]

    def value(self, expression: str) -> float | None:
        """Give the one value of an expression, or None while it has none."""
        result = self.ask("query", query=expression)["result"]
        assert len(result) <= 1, result
        return float(result[0]["value"][1]) if result else None

    def until(self, expression: str, wanted: float) -> None:
        """Wait until an expression has this value.

        :raises StuckError: when it has not in time.
        """
        self._process.look(lambda: True if self.value(expression) == wanted else None)

    def until_no_rule_is(self, health: str) -> list[dict[str, Any]]:
        """Give the alert rules, once none is in this health (``unknown``: not looked at yet)."""

        def rules() -> list[dict[str, Any]] | None:
            found = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
            return None if any(rule["health"] == health for rule in found) else found

        return self._process.look(rules)

    def close(self) -> None:
        """End it."""
        self._process.close()


def _address(lines: Sequence[str]) -> str | None:
    found = [match[1] for line in lines if (match := _ADDRESS.search(line))]
    return found[0] if found else None

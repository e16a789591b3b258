"""Attack a live supervisor, as any local process without a key could.

    python testbeds/attacks/run_attacks.py --data HOST:PORT --control HOST:PORT [--only NAME ...]
    python testbeds/attacks/run_attacks.py --pid PID
    python testbeds/attacks/run_attacks.py --list

Either port may be left out. With `--pid` the ports are those that the supervisor of that process id
listens on. Prints a line for each attack, and with `--report` writes them as JSON. Exit 0 when all
is refused as it must be, 1 when anything is not, 2 when a port cannot be reached.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attack_frames import Attacker
from attack_model import Attack, Outcome
from attack_ports import Address, PortsNotFoundError, address_of, ports_of
from attacks_on_control import CONTROL_ATTACKS, RAW_ATTACKS, ControlAttacker
from attacks_on_data import DATA_ATTACKS
from control_port import ControlPort
from tcp_port import TcpPort

RAW_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True)
class Campaign:
    """The attacks on the ports that are given; `only` names some of them."""

    data: Address | None
    control: Address | None
    only: frozenset[str] = frozenset()
    patience_seconds: float = 30.0

    def outcomes(self) -> Iterator[Outcome]:
        """Carry out one attack after the other."""
        if self.data is not None:
            port, attacker = TcpPort(self.data, self.patience_seconds), Attacker()
            for attack in self._chosen(DATA_ATTACKS):
                yield port.run(attack, attack.strikes(attacker))
        if self.control is not None:
            streams, stranger = ControlPort(self.control, self.patience_seconds), ControlAttacker()
            for attack in self._chosen(CONTROL_ATTACKS):
                yield streams.run(attack, attack.strikes(stranger))
            raw = TcpPort(self.control, RAW_PATIENCE_SECONDS)
            for attack in self._chosen(RAW_ATTACKS):
                yield raw.run(attack, attack.strikes(stranger))

    def _chosen(self, attacks: Iterable[Attack[Any]]) -> list[Attack[Any]]:
        return [attack for attack in attacks if not self.only or attack.name in self.only]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    options = _parser().parse_args(arguments)
    if options.list:
        corpus: list[Attack[Any]] = [*DATA_ATTACKS, *CONTROL_ATTACKS, *RAW_ATTACKS]
        sys.stdout.write("".join(map(_described, corpus)))
        return 0
    try:
        data, control = (
            (options.data, options.control) if not options.pid else ports_of(options.pid)
        )
        campaign = Campaign(data, control, frozenset(options.only), options.patience)
        outcomes = []
        for outcome in campaign.outcomes():
            sys.stdout.write(_line(outcome))
            sys.stdout.flush()
            outcomes.append(outcome)
    except (OSError, PortsNotFoundError) as fault:
        sys.stderr.write(f"attacks: {fault}\n")
        return 2
    if options.report is not None:
        options.report.write_text(_report(outcomes), "utf-8")
    return 0 if outcomes and all(outcome.ok for outcome in outcomes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Attack a live supervisor's ports.")
    parser.add_argument("--data", type=_address, metavar="HOST:PORT", help="its data port")
    parser.add_argument("--control", type=_address, metavar="HOST:PORT", help="its control port")
    parser.add_argument("--pid", type=int, help="the supervisor's process id, instead of ports")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these attacks only")
    parser.add_argument("--patience", type=float, default=30.0, help="seconds for any one strike")
    parser.add_argument("--report", type=Path, help="a JSON file to write the outcomes to")
    parser.add_argument("--list", action="store_true", help="say what there is, and do nothing")
    return parser


def _address(text: str) -> Address:
    try:
        return address_of(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault


def _described(attack: Attack[Any]) -> str:
    return f"{attack.port:>20}  {attack.name:<18} {attack.does}: {attack.must}\n"


def _line(outcome: Outcome) -> str:
    ends = ", ".join(f"{end} {count}" for end, count in outcome.ends.most_common())
    verdict = "refused" if outcome.ok else f"{outcome.wrong} WRONG"
    return f"{outcome.port:>20}  {outcome.name:<18} {verdict:<10} {ends}\n"


def _report(outcomes: Sequence[Outcome]) -> str:
    rows = [
        {
            "port": outcome.port,
            "attack": outcome.name,
            "must": outcome.must,
            "ends": dict(outcome.ends.most_common()),
            "wrong": outcome.wrong,
        }
        for outcome in outcomes
    ]
    return json.dumps({"ok": all(outcome.ok for outcome in outcomes), "attacks": rows}, indent=2)


if __name__ == "__main__":
    sys.exit(main())

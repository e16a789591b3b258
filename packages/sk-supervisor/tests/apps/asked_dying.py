"""A node that crashes its worker."""

from __future__ import annotations

import os

import msgspec
from asked_ending import Waited
from sk_kernel import node


class Die(msgspec.Struct):
    """Its worker crashes."""


@node
def dying(die: Die) -> Waited:
    """Crashes."""
    os._exit(3)

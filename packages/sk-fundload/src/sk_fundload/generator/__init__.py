"""Seeded input for fund load: traffic, scripted scenes for every rule, and on demand dirt."""

from __future__ import annotations

from sk_fundload.generator._stream import generate

__all__ = ["generate"]

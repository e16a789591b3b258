"""Seeded input for fund load: traffic, scripted scenes for every rule, and unreadable lines."""

from __future__ import annotations

from sk_fundload.generator._stream import generate

__all__ = ["generate"]

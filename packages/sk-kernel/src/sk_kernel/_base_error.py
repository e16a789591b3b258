"""What every exception of sk-kernel is."""

from __future__ import annotations


class KernelError(Exception):
    """Base of every error that sk-kernel raises."""

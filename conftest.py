"""What holds for every test of the repository; the rules themselves live in ``testbeds/house``."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["contract_marks", "leftover_processes", "pytester"]

# How long an example takes says nothing on a machine that runs other tests at the same time.
settings.register_profile("house", parent=settings(), deadline=None)
settings.load_profile("house")

"""What the package shows of itself, though it imports none of it before it is asked for."""

from __future__ import annotations

import pydoc
import subprocess
import sys

import sk_supervisor

#: What a name that is listed, and one that is asked for, has a fresh interpreter import.
FRESH = """
import sys
import sk_supervisor
def imported():
    return {name for name in sys.modules if name.startswith("sk_")}
before = imported()
assert set(sk_supervisor.__all__) <= set(dir(sk_supervisor))
assert imported() == before == {"sk_supervisor", "sk_supervisor._lazy"}, before
assert "Rung" not in vars(sk_supervisor)
assert sk_supervisor.Rung is vars(sk_supervisor)["Rung"]
"""


def test_all_public_names_are_listed_before_any_is_imported_and_one_that_was_is_kept() -> None:
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_of_the_package_tells_of_every_public_name() -> None:
    told = pydoc.render_doc(sk_supervisor, renderer=pydoc.plaintext)
    described = told.partition("\nDATA\n")[0]
    assert [name for name in sk_supervisor.__all__ if name not in described] == []

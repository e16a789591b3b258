"""Test your own applications against hostile behaviour of their worker processes.

``Zoo(folder).run(config, node=..., beast=...)`` runs an application with one hostile behaviour, a
beast of ``BEASTS``, in one of its nodes. It returns a ``Visit``, which describes the run;
``Visit.check()`` asserts that the outcome is the promised one, within the promised time plus 5 s of
slack. Pass ``slack_seconds=`` to allow more on a busy machine. ``nothing_left_behind`` asserts that
a block leaves no process, thread or file descriptor behind. ``sk_supervisor.testing.zoo`` is a
pytest plugin for both.
"""

from sk_supervisor.testing._beasts import BEASTS, Beast
from sk_supervisor.testing._leftovers import nothing_left_behind
from sk_supervisor.testing._visit import Visit
from sk_supervisor.testing._zoo import Zoo

__all__ = ["BEASTS", "Beast", "Visit", "Zoo", "nothing_left_behind"]

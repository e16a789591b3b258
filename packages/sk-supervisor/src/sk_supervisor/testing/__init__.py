"""For tests of your own applications over worker processes: a zoo of hostile ones.

``Zoo(folder).run(config, node=..., beast=...)`` runs an application with a beast of ``BEASTS`` in
one of its nodes; the ``Visit`` says what came of it and ``check()`` holds it to what is promised,
in the time that is promised and 5 s of slack: ``slack_seconds=`` gives more on a crowded machine.
``nothing_left_behind`` holds a block to leaving no process, thread or descriptor. As a pytest
plugin: ``sk_supervisor.testing.zoo``.
"""

from sk_supervisor.testing._beasts import BEASTS, Beast
from sk_supervisor.testing._leftovers import nothing_left_behind
from sk_supervisor.testing._visit import Visit
from sk_supervisor.testing._zoo import Zoo

__all__ = ["BEASTS", "Beast", "Visit", "Zoo", "nothing_left_behind"]

"""``python -m sk_supervisor``: the ``sk`` command."""

from sk_supervisor.cli import main

main()

"""The program of a worker's process: ``python -P child.py <descriptor of the spawn pipe> <id>``.

A file, and not a module, since it has to find this package first, wherever the parent has found it.
The id is for who lists processes.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time


def main() -> None:
    """Hear the first word, and become a worker; exits the process."""
    began = time.time_ns()
    # Nothing that is made while it is built is garbage: collecting begins behind that.
    gc.disable()
    pipe = os.fdopen(int(sys.argv[1]), "rb")
    first = json.loads(pipe.readline())
    sys.path[:] = first["path"]
    from sk_supervisor._system.allocator import keep_freed_memory
    from sk_supervisor._system.orphan import die_with_parent

    # Before it imports the rest, which takes a while.
    die_with_parent(first["parent"])
    keep_freed_memory()
    from sk_supervisor.worker import main as work

    work(pipe, began)


if __name__ == "__main__":
    main()

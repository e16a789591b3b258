"""The program of a worker's process: ``python -P child.py <descriptor of the spawn pipe> <id>``.

It is a file and not a module, since it must first set the path of modules as in the parent. The id
is only for process listings.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time


def main() -> None:
    """Read the first message and become a worker; exits the process."""
    began = time.time_ns()
    # What the start creates is no garbage: collection begins after it.
    gc.disable()
    pipe = os.fdopen(int(sys.argv[1]), "rb")
    first = json.loads(pipe.readline())
    sys.path[:] = first["path"]
    from sk_supervisor._system.allocator import keep_freed_memory
    from sk_supervisor._system.orphan import die_with_parent

    # Before the other imports, which take a while.
    die_with_parent(first["parent"])
    keep_freed_memory()
    from sk_supervisor._worker.main import main as work

    work(pipe, began)


if __name__ == "__main__":
    main()

"""The program of a worker whose scope is given: what is bound there says when it opens a plane."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any


def main() -> None:
    """Do what ``child.py`` does, with a scope of this program's."""
    began = time.time_ns()
    pipe = os.fdopen(int(sys.argv[1]), "rb")
    sys.path[:] = json.loads(pipe.readline())["path"]
    from sk_kernel.runtime import Container
    from sk_supervisor._worker.control_dial import dial_supervisor
    from sk_supervisor._worker.data_plane import DataPlaneChannel
    from sk_supervisor._worker.main import main as work
    from sk_supervisor._worker.planes import Planes

    scope = Container()
    scope.provide(
        Planes, Planes(_told("control", dial_supervisor), _told("data", DataPlaneChannel))
    )
    work(pipe, began, scope)


def _told(plane: str, opens: Callable[..., Any]) -> Callable[..., Any]:
    def opening(*arguments: Any, **options: Any) -> Any:
        os.write(2, f"{plane} opened from the given scope\n".encode())
        return opens(*arguments, **options)

    return opening


if __name__ == "__main__":
    main()

"""Keep the dead letters of an earlier run when a later run replaces its file."""

from __future__ import annotations

import contextlib
import os
from itertools import count

from sk_kernel._letters.letters import read_letter
from sk_kernel.errors import DeadLetterError

#: Used instead of a run id if the file that was at the target is not one of dead letters.
_UNKNOWN = "before"
#: Bytes of a name reserved for a number, and the length of the digest that shortens a long run id.
_NUMBER = len(".99999")
_DIGEST = 16


def keep_former(target: str, successor: str) -> None:
    """Keep the file at ``target``, which ``successor`` is about to replace, under another name.

    The new name is that of the target with the id of the run that wrote it. An empty file, and one
    with the same bytes as ``successor``, is not kept. If the file system has hard links, the target
    exists at every moment.

    :raises OSError: when an operation of the file system fails.
    """
    import filecmp

    empty = not os.path.exists(target) or not os.path.getsize(target)
    if empty or filecmp.cmp(target, successor, shallow=False):
        return
    folder, name = os.path.split(target)
    room = os.pathconf(folder, "PC_NAME_MAX") - len(os.fsencode(f"{name}.")) - _NUMBER
    kept = f"{target}.{_within(room, _run_of(target))}"
    for number in count(1):
        with contextlib.suppress(FileExistsError):
            _name_also(target, kept if number == 1 else f"{kept}.{number}")
            return


def file_name(name: str) -> str:
    """Escape a name for use as the start of a file name, so that it contains no ``/``."""
    return name.replace("%", "%25").replace("/", "%2F")


def name_of(file: str) -> str:
    """Return the name that :func:`file_name` escaped."""
    return file.replace("%2F", "/").replace("%25", "%")


def _run_of(path: str) -> str:
    with open(path, "rb") as file, contextlib.suppress(DeadLetterError):
        return file_name(read_letter(file.readline()).run_id) or _UNKNOWN
    return _UNKNOWN


def _within(room: int, run: str) -> str:
    """Shorten an escaped run id to ``room`` bytes if needed: to its start, ``~`` and a digest."""
    encoded = os.fsencode(run)
    if len(encoded) <= room:
        return run
    from hashlib import sha256

    digest = sha256(name_of(run).encode()).hexdigest()[:_DIGEST]
    begun = encoded[: max(room - len(f"~{digest}"), 0)]
    whole = begun[:-2] + begun[-2:].partition(b"%")[0]  # do not cut a %2F in two
    return f"{whole.decode(errors='ignore')}~{digest}"[:room]


def _name_also(path: str, name: str) -> None:
    try:
        os.link(path, name)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, or a file of another user
        if os.path.lexists(name):
            raise FileExistsError(name) from None
        os.rename(path, name)

"""What becomes of the dead letters of an earlier run when those of another take their place."""

from __future__ import annotations

import contextlib
import os
from itertools import count

from sk_kernel._letters.letters import read_letter
from sk_kernel.errors import DeadLetterError

#: What is kept under this name is no file of letters.
_UNKNOWN = "before"
#: Bytes of a name that are left free for a number, and those of what tells a long id from others.
_NUMBER = len(".99999")
_DIGEST = 16


def keep_former(target: str, successor: str) -> None:
    """Give the letters at ``target``, which ``successor`` is about to replace, a name of their own.

    It is the target's with their run's id. The same run writes the same bytes: those are no others.
    The target is there at every moment, where the file system has links.

    :raises OSError: when the file system refuses.
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
    """A name of any characters as the beginning of a file's: it leads into no other folder."""
    return name.replace("%", "%25").replace("/", "%2F")


def name_of(file: str) -> str:
    """The name that a file's begins with as :func:`file_name` has it."""
    return file.replace("%2F", "/").replace("%25", "%")


def _run_of(path: str) -> str:
    with open(path, "rb") as file, contextlib.suppress(DeadLetterError):
        return file_name(read_letter(file.readline()).run_id) or _UNKNOWN
    return _UNKNOWN


def _within(room: int, run: str) -> str:
    """A run's name in so many bytes: of a longer one a beginning, ``~`` and a digest of all."""
    encoded = os.fsencode(run)
    if len(encoded) <= room:
        return run
    from hashlib import sha256

    digest = sha256(name_of(run).encode()).hexdigest()[:_DIGEST]
    begun = encoded[: max(room - len(f"~{digest}"), 0)]
    whole = begun[:-2] + begun[-2:].partition(b"%")[0]  # no half of a %2F
    return f"{whole.decode(errors='ignore')}~{digest}"[:room]


def _name_also(path: str, name: str) -> None:
    try:
        os.link(path, name)
    except FileExistsError:
        raise
    except OSError:  # a file system without links, or a file of somebody else's
        if os.path.lexists(name):
            raise FileExistsError(name) from None
        os.rename(path, name)

"""What the node ``work`` of the test application may be told to do, and how it says so."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import msgspec

#: Set when the source of this process is interrupted.
interrupted = threading.Event()


def tell(ears: int, what: str, *, wait: bool = False, **facts: Any) -> None:
    """Say to the test what happens here; with ``wait``, go on when it lets go."""
    with socket.create_connection(("127.0.0.1", ears)) as link:
        link.sendall(json.dumps({"what": what, "pid": os.getpid(), **facts}).encode() + b"\n")
        if wait:
            link.recv(1)


class WorkSettings(msgspec.Struct, forbid_unknown_fields=True):
    at: int = 0
    do: str = ""
    ears: int = 0
    born: str = ""
    """When the node is made: ``raise``, ``system_exit``, ``leak`` the secret, or ``wait``."""
    secret: str = ""


def _raise(settings: WorkSettings) -> str:
    raise ValueError(f"bad record {settings.at}")


def _exit(settings: WorkSettings) -> str:
    os.write(2, b"last words\n")
    os._exit(7)


def _leave(settings: WorkSettings) -> str:
    os._exit(0)


def _system_exit(settings: WorkSettings) -> str:
    sys.exit(0)


def _keyboard_interrupt(settings: WorkSettings) -> str:
    raise KeyboardInterrupt


def _kill(settings: WorkSettings) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


def _freeze(settings: WorkSettings) -> str:
    os.kill(os.getpid(), signal.SIGSTOP)
    return ""


def _crash(settings: WorkSettings) -> str:
    ctypes.string_at(0)
    return ""


def _hold(settings: WorkSettings) -> str:
    tell(settings.ears, "here", wait=True)
    return ""


def _linger(settings: WorkSettings) -> str:
    tell(settings.ears, "here")
    interrupted.wait()
    return ""


def _spin(settings: WorkSettings) -> str:
    tell(settings.ears, "here")
    while True:
        pass


def _cling(settings: WorkSettings) -> str:
    """Tries again, whatever ends an attempt, and says so."""
    while True:
        try:
            tell(settings.ears, "here", wait=True)
        except:  # noqa: E722
            tell(settings.ears, "swallowed")


def _deaf(settings: WorkSettings) -> str:
    # As a long call into C: Python's own handlers do not get a turn, and heartbeats still go out.
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals) - {signal.SIGKILL})
    tell(settings.ears, "here")
    ctypes.CDLL(None).pause()
    return ""


def _grip(settings: WorkSettings) -> str:
    # A call into C that waits and does not let go of the GIL: no other thread gets a turn.
    tell(settings.ears, "here")
    ctypes.PyDLL(None).pause()
    return ""


def _backtrack(settings: WorkSettings) -> str:
    # A call into C that works and does not let go of the GIL.
    tell(settings.ears, "here")
    re.match("(a+)+$", "a" * 60 + "b")
    return ""


def _hold_and_exit(settings: WorkSettings) -> str:
    tell(settings.ears, "here", wait=True)
    return _exit(settings)


def _leak(settings: WorkSettings) -> str:
    sys.stderr.write(f"cannot log in as {settings!r}\n")
    sys.stderr.flush()
    os._exit(9)


def _mute(settings: WorkSettings) -> str:
    # Every connection is closed under the hands of those who use it; and since the GIL is held from
    # there on, nobody in this process gets to make anything of that.
    tell(settings.ears, "here")
    numbers = [int(name) for name in os.listdir("/dev/fd")]
    nothing, held = os.open(os.devnull, os.O_RDWR), ctypes.PyDLL(None)
    sockets = []
    for number in numbers:
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                sockets.append(number)
    sys.setswitchinterval(1000)
    for number in sockets:
        held.dup2(nothing, number)
    held.pause()
    return ""


def _children(settings: WorkSettings) -> str:
    child = subprocess.Popen(["sleep", "1000"])
    # One that escapes the group, and holds this worker's standard error open.
    fugitive = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    tell(settings.ears, "here", wait=True, child=child.pid, fugitive=fugitive.pid)
    return ""


def _surrogate(settings: WorkSettings) -> str:
    return "\ud800"


def _huge(settings: WorkSettings) -> str:
    return "x" * 300_000


def _shout(settings: WorkSettings) -> str:
    sys.stderr.write("".join(f"line {i}\n" for i in range(5000)))
    sys.stderr.flush()
    os.write(2, b"caf\xe9 and no end")
    os._exit(1)


def _speak(settings: WorkSettings) -> str:
    sys.stderr.write("said aside\n")
    for number in range(1, 1001):
        sys.stdout.write(f"said {number}\n")
    return ""


def _rob(settings: WorkSettings) -> str:
    for folder in Path(tempfile.gettempdir()).glob("sk-profile-*"):
        shutil.rmtree(folder)
    return ""


def _churn(settings: WorkSettings) -> str:
    """The page faults of 400 frames that are made and let go of."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        frames = [bytes(500_000) + b"." for _ in range(8)]
        del frames
    return str(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)


DEEDS = {
    "raise": _raise,
    "exit": _exit,
    "leave": _leave,
    "system_exit": _system_exit,
    "keyboard_interrupt": _keyboard_interrupt,
    "kill": _kill,
    "freeze": _freeze,
    "crash": _crash,
    "hold": _hold,
    "linger": _linger,
    "spin": _spin,
    "cling": _cling,
    "deaf": _deaf,
    "grip": _grip,
    "backtrack": _backtrack,
    "hold_and_exit": _hold_and_exit,
    "leak": _leak,
    "mute": _mute,
    "children": _children,
    "surrogate": _surrogate,
    "huge": _huge,
    "shout": _shout,
    "speak": _speak,
    "rob": _rob,
    "churn": _churn,
}

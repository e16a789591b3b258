"""A module that breaks when a worker imports it, as ``SK_TEST_IMPORT`` says."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from supervised_deeds import tell

if "sk_supervisor.worker" in sys.modules:
    match os.environ.get("SK_TEST_IMPORT", "").split(":"):
        case ["fugitive", ears]:
            # One that escapes the group, and holds this worker's standard error open.
            fugitive = subprocess.Popen(["sleep", "1000"], start_new_session=True)
            tell(int(ears), "escaped", fugitive=fugitive.pid)

if sys.argv[-1].endswith("-0.1"):  # the command line of a worker names it
    match os.environ.get("SK_TEST_IMPORT", "").split(":"):
        case ["raise"]:
            raise ValueError("this module cannot be imported")
        case ["exit"]:
            os.write(2, b"about to leave\n")
            os._exit(9)
        case ["hang", ears]:
            tell(int(ears), "importing")
            threading.Event().wait()

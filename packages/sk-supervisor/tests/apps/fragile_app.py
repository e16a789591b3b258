"""A module that breaks when a worker imports it, as ``SK_TEST_IMPORT`` says."""

from __future__ import annotations

import os
import sys
import threading

from supervised_deeds import tell

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
